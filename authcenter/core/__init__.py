"""The vocabulary every layer speaks: frozen values, refusals and their rules, clock, ids, derived secrets.

Owns no state and does no I/O. Knows nothing of HTTP, SQL, settings or any other package of authcenter.
"""
