"""Signing keys: which are live, which one signs, and when one changes place.

Owns the immutable ``KeyRing`` and the acts of an operator upon it. Knows the store only by its port, and nothing of
tokens or HTTP.
"""
