"""Clients: who they are, how they prove it, and what they may ask for.

Knows the stores by their ports, and nothing of grants or HTTP.
"""
