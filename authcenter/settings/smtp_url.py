"""The mail server that ``smtp_url`` names."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

_PORTS = {"smtp": 587, "smtps": 465}
_VISIBLE = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail goes.

    Attributes:
        tls: Whether it is spoken from the first byte; else STARTTLS is used where it is offered.
        login: Empty: nobody signs in.
    """

    host: str
    port: int
    tls: bool
    login: str = ""
    password: str = field(default="", repr=False)


def parse_smtp_url(text: str) -> SmtpServer:
    """Read ``smtp://host``, ``smtps://user:password@host:port`` and so on.

    Without a port: 587, where submission is spoken (RFC 6409), or 465 for ``smtps`` (RFC 8314 §3.3).

    Raises:
        ValueError: It is none. What it is, and so a password, is not repeated.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be smtp:// or smtps:// and a host") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0 or not _VISIBLE.fullmatch(text):
        raise ValueError("must be smtp:// or smtps:// and a host")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise ValueError("must end after the port; special characters of a password are written as %23 and so on")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("must have a user name and a password, or neither")
    login, password = unquote(parts.username or ""), unquote(parts.password or "")
    return SmtpServer(parts.hostname, port or _PORTS[parts.scheme], parts.scheme == "smtps", login, password)
