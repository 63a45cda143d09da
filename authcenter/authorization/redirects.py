"""Redirect URIs: compared as text, character by character (RFC 9700 §2.1), but for the port of loopback addresses."""

from urllib.parse import urlsplit

_LOOPBACK = frozenset({"127.0.0.1", "::1"})


def registered(uri: str, known: tuple[str, ...]) -> bool:
    """Whether ``uri`` is one of ``known``.

    A native app listens at whatever port it gets: of http URIs whose host is a loopback address, not a name, the port
    may differ (RFC 8252 §7.3).
    """
    if uri in known:
        return True
    without = _without_loopback_port(uri)
    return without is not None and any(without == _without_loopback_port(one) for one in known)


def _without_loopback_port(uri: str) -> str | None:
    """``uri`` without its port, where it is one that may have any; all else of it stays as it is written."""
    try:
        parts = urlsplit(uri)
        port, host = parts.port, parts.hostname
    except ValueError:
        return None
    if not uri.startswith("http://") or host not in _LOOPBACK or "@" in parts.netloc or "\\" in uri:
        return None
    shown = f"[{host}]" if ":" in host else host
    if parts.netloc not in {shown, f"{shown}:{port}"}:
        return None
    return f"http://{shown}{uri.removeprefix(f'http://{parts.netloc}')}"
