"""Requests as handlers get them, without a socket."""

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import encode_basic_auth, web
from aiohttp.http_parser import RawRequestMessage
from aiohttp.http_writer import HttpVersion11
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL


class _Transport(asyncio.Transport):
    """Knows where it leads."""

    def __init__(self, peer: str) -> None:
        super().__init__({"peername": (peer, 40_000)})


class _Protocol:
    """What a request asks of its connection."""

    def __init__(self, peer: str) -> None:
        self.transport = _Transport(peer)
        self.peername = (peer, 40_000)
        self.sockname = ("127.0.0.1", 8080)
        self.ssl_context = None


def request(
    headers: Iterable[tuple[str, str]] = (), peer: str = "192.0.2.1", path: str = "/", method: str = "POST"
) -> web.BaseRequest:
    """A request from ``peer``."""
    fields = CIMultiDict(headers)
    raw = tuple((name.encode(), value.encode("utf-8", "surrogateescape")) for name, value in fields.items())
    message = RawRequestMessage(
        method, path, HttpVersion11, CIMultiDictProxy(fields), raw, False, None, False, False, URL(path)
    )
    protocol: Any = _Protocol(peer)
    absent: Any = None
    return web.BaseRequest(message, absent, protocol, absent, absent, absent)


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of client_secret_basic."""
    return {"Authorization": encode_basic_auth(client_id, secret)}
