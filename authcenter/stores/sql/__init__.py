"""The record: SQLAlchemy Core on SQLite and PostgreSQL.

Owns tables, migrations, transactions and what an SQL error means (``StoreUnavailable``). Knows nothing of grants, HTTP
or policy.
"""
