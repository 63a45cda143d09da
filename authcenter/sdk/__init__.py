"""What a resource server needs: checking access tokens where they arrive, asking for its own, hearing of revocations.

Installs and runs without the server: of this package it may know ``jose`` and ``core`` alone, and what it imports
beyond them is aiohttp, cryptography and msgspec. Modules for one framework or one metrics library import that one; who
does not use them need not have it. The server checks its own tokens with the same parts.
"""
