"""Grants: what may be issued, decided.

One strategy a file, each a ``TokenGranter``; ``composite`` owns the steps they share. A strategy issues and spends
nothing, and does not know the others, HTTP, or how a token is made.
"""
