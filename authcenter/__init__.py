"""authcenter: an OAuth 2.0/2.1 and OpenID Connect authorization server.

The packages below are layers; data and imports move one way, ``http`` to ``grants`` to ``tokens`` to ``stores``, and
``wiring`` is the one place that joins them. import-linter holds that (``pyproject.toml``).
"""
