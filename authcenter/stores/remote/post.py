"""Posting a form to somebody else's server, with everything about it limited."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp
from yarl import URL

from authcenter.stores.ports.remote import FormPoster, RemoteFailure
from authcenter.stores.remote.guard import Network, guarded_sockets

_SECONDS = 5.0
_LONGEST_LINE = 8_190
_READ_AHEAD = 4_096
_HEADERS = {
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "authcenter",
    "Accept-Encoding": "identity",
}


@dataclass(frozen=True, slots=True)
class GuardedPoster(FormPoster):
    """Goes to public addresses over TLS, and to those of ``allowed``. Each request has a connection of its own.

    Attributes:
        allowed: ``fetch.allow_private`` as it stands.
        seconds: For all of it: name, connection, TLS, answer.
    """

    allowed: Callable[[], Sequence[Network]]
    seconds: float = _SECONDS

    async def post(self, url: str, form: Mapping[str, str]) -> int:
        target = _target(url)
        connector = aiohttp.TCPConnector(
            socket_factory=guarded_sockets(self.allowed, secure=target.scheme == "https"), force_close=True
        )
        try:
            async with (
                asyncio.timeout(self.seconds),
                aiohttp.ClientSession(
                    connector=connector,
                    cookie_jar=aiohttp.DummyCookieJar(),
                    timeout=aiohttp.ClientTimeout(total=self.seconds),
                    read_bufsize=_READ_AHEAD,
                    max_line_size=_LONGEST_LINE,
                    max_field_size=_LONGEST_LINE,
                ) as session,
                session.post(target, data=urlencode(form), headers=_HEADERS, allow_redirects=False) as answer,
            ):
                # The body is nobody's business: closed unread, however long it is.
                answer.close()
                return answer.status
        except TimeoutError as late:
            raise RemoteFailure("no answer in time") from late
        except (aiohttp.ClientError, OSError, ValueError) as failure:
            # The class alone: the text of some names the URL, whose query may be a secret of its owner.
            raise RemoteFailure(type(failure.__cause__ or failure).__name__) from failure


def _target(url: str) -> URL:
    try:
        target = URL(url, encoded=True)
        host = target.host
    except ValueError as broken:
        raise RemoteFailure("not a URL") from broken
    if target.scheme not in {"https", "http"} or not host or target.user is not None:
        raise RemoteFailure("not an https URL")
    return target
