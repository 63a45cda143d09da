"""Shared state in Redis: fast, spread between instances, and never the only place of what must survive.

Owns the connection, its breaker and the keys. What is gone with Redis has a stated fallback; what is read back and
decides something is sealed. Every key holds its hash tag, so that scripts work on a Cluster.
"""
