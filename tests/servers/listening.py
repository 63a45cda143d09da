"""The HTTP clients that tests use, listened to: what they send and get is noted for the search of the logs."""

import functools
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import aiohttp
import pytest
import requests

from tests.servers.log_search import LogSearch, as_text

_LONGEST_BODY = 256 * 1024


@contextmanager
def listening(search: LogSearch) -> Iterator[None]:
    """Note all that passes through requests and aiohttp while the block runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.Session, "send", _send(search, requests.Session.send))
        patch.setattr(aiohttp.ClientSession, "_request", _request(search, aiohttp.ClientSession._request))
        patch.setattr(aiohttp.ClientResponse, "read", _read(search, aiohttp.ClientResponse.read))
        yield


def _send(search: LogSearch, send: Callable[..., requests.Response]) -> Callable[..., requests.Response]:
    @functools.wraps(send)
    def listened(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        _note_sent(search, request.headers, as_text(request.body))
        answer = send(session, request, **options)
        _note_got(search, answer.headers, b"" if options.get("stream") else answer.content)
        return answer

    return listened


def _request(search: LogSearch, request: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(request)
    async def listened(session: Any, method: str, url: Any, **options: Any) -> Any:
        body = options.get("data") if options.get("data") is not None else options.get("json")
        _note_sent(search, options.get("headers") or {}, as_text(body))
        if auth := options.get("auth"):
            search.note(auth.password)
        answer = await request(session, method, url, **options)
        _note_got(search, answer.headers, b"")
        return answer

    return listened


def _read(search: LogSearch, read: Callable[..., Awaitable[bytes]]) -> Callable[..., Awaitable[bytes]]:
    @functools.wraps(read)
    async def listened(answer: Any) -> bytes:
        body = await read(answer)
        _note_got(search, {}, body)
        return body

    return listened


def _note_sent(search: LogSearch, headers: Any, body: str) -> None:
    search.note_request(body[:_LONGEST_BODY])
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        scheme, _, credentials = as_text(value).partition(" ")
        if str(name).lower() == "authorization" and scheme.lower() == "basic":
            search.note(_password(credentials))


def _note_got(search: LogSearch, headers: Mapping[str, Any], body: bytes) -> None:
    search.note_answer(str(headers.get("Location", "")))
    for cookie in _all(headers, "Set-Cookie"):
        search.note(cookie.partition(";")[0].partition("=")[2].strip('"'))
    if body and len(body) <= _LONGEST_BODY and body[:1] == b"{":
        search.note_answer(body.decode(errors="replace"))


def _all(headers: Mapping[str, Any], name: str) -> list[str]:
    if hasattr(headers, "getall"):
        return [str(value) for value in headers.getall(name, [])]
    return [str(headers[name])] if name in headers else []


def _password(credentials: str) -> str:
    try:
        return b64decode(credentials).decode().partition(":")[2]
    except ValueError:
        return ""
