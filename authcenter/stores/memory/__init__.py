"""The record in memory, for unit tests: all ports over one ``MemoryRecord``, with the promises that SQL makes.

Owns no promise of its own: the conformance suite in ``tests/integration/stores`` holds it to the same as SQLite and
PostgreSQL. Knows nothing of SQL, and keeps nothing over a restart.
"""
