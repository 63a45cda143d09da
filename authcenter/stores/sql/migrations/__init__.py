"""Schema migrations (Alembic), shipped inside the package: expand first, contract a release later."""
