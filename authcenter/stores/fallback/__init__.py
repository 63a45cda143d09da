"""A port in two places: the fast one first, and while that is gone the other.

Owns what happens when it is gone, and nothing of how either works; services cannot tell the difference.
"""
