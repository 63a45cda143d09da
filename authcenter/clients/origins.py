"""Which browser origins may read a client's answers (CORS)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from authcenter.core.client import Client

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})
"""Hosts that nobody but this machine answers for, so that http will do."""

# Of names and of addresses: what else a parser lets through would end a source in a content security policy.
_HOST = re.compile(r"[a-z0-9._-]{1,253}|[0-9a-f:.]{2,45}")
_PORTS = {"http": 80, "https": 443}


def allowed_origins(client: Client) -> frozenset[str]:
    """The client's own list, or the origins of its redirect URIs where it has none."""
    return client.origins or frozenset(filter(None, map(origin_of, client.redirect_uris)))


def origin_of(uri: str) -> str | None:
    """The origin (RFC 6454 §6.2) of an http or https URI; None for any other."""
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or not _HOST.fullmatch(parts.hostname):
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    shown = "" if port in {None, _PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def first_foreign(origins: Iterable[str]) -> str | None:
    """The first of ``origins`` that is not an origin in its one canonical form."""
    return next((origin for origin in origins if origin_of(origin) != origin), None)
