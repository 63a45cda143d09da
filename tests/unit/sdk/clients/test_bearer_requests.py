"""Tokens on a session's requests, and one repetition where a token was called invalid."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from authcenter.sdk.bearer_requests import bearer_requests
from authcenter.sdk.client_credentials import ClientCredentials
from tests.unit.sdk.clients.scripted import HANG_SECONDS, Scripted, Ticks, middle

INVALID = 'Bearer error="invalid_token", error_description="…", resource_metadata="https://api.example/x"'


class Api:
    """A resource server that calls tokens invalid, and notes what reached it."""

    def __init__(self) -> None:
        self.invalid: set[str] = set()
        self.challenge = INVALID
        self.seen: list[tuple[str, str, str]] = []
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._answer)
        self.server = TestServer(app)
        self.elsewhere = ""

    @property
    def url(self) -> str:
        return str(self.server.make_url("/"))

    async def _answer(self, request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "")
        self.seen.append((request.method, token.removeprefix("Bearer "), (await request.read()).decode()))
        if request.path == "/redirect":
            return web.Response(status=302, headers={"Location": self.elsewhere})
        if self.invalid & {token.removeprefix("Bearer "), "*"}:
            return web.Response(status=401, headers={"WWW-Authenticate": self.challenge}, text="no")
        return web.Response(text="yes")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def service(server: Scripted, ticks: Ticks) -> AsyncIterator[ClientCredentials]:
    async with ClientCredentials(
        token_endpoint=server.token_endpoint,
        client_id="shop",
        client_secret="x",
        timeout_seconds=HANG_SECONDS,
        monotonic=ticks,
        uniform=middle,
    ) as made:
        yield made


@pytest.fixture
async def session(api: Api, service: ClientCredentials) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(middlewares=[bearer_requests(service, api.url)]) as made:
        yield made


async def ask(session: aiohttp.ClientSession, url: str, method: str = "GET", **options: Any) -> tuple[int, str]:
    async with session.request(method, url, **options) as answer:
        return answer.status, await answer.text()


async def test_requests_carry_the_token(api: Api, session: aiohttp.ClientSession) -> None:
    assert await ask(session, api.url) == (200, "yes")
    assert await ask(session, api.url, "POST", json={"a": 1}) == (200, "yes")
    assert api.seen == [("GET", "token-1", ""), ("POST", "token-1", '{"a": 1}')]


BODIES = [
    pytest.param("GET", {}, "", id="none"),
    pytest.param("POST", {"data": b"bytes"}, "bytes", id="bytes"),
    pytest.param("PUT", {"data": "text"}, "text", id="text"),
    pytest.param("POST", {"json": {"a": 1}}, '{"a": 1}', id="JSON"),
    pytest.param("POST", {"data": {"a": "1"}}, "a=1", id="a form"),
]


@pytest.mark.parametrize(("method", "options", "body"), BODIES)
async def test_a_token_called_invalid_is_replaced_and_the_request_repeated(
    api: Api, session: aiohttp.ClientSession, ticks: Ticks, method: str, options: Any, body: str
) -> None:
    assert await ask(session, api.url) == (200, "yes")
    api.invalid = {"token-1"}
    ticks.at += 6
    assert await ask(session, api.url, method, **options) == (200, "yes")
    assert api.seen[1:] == [(method, "token-1", body), (method, "token-2", body)]
    assert await ask(session, api.url) == (200, "yes")
    assert api.seen[-1][1] == "token-2"


async def test_a_stream_is_not_sent_twice(api: Api, session: aiohttp.ClientSession, ticks: Ticks) -> None:
    async def stream() -> AsyncIterator[bytes]:
        yield b"once"

    await ask(session, api.url)
    api.invalid = {"token-1"}
    ticks.at += 6
    assert await ask(session, api.url, "POST", data=stream()) == (401, "no")
    assert len(api.seen) == 2


async def test_it_is_repeated_once_only(api: Api, session: aiohttp.ClientSession, ticks: Ticks) -> None:
    await ask(session, api.url)
    api.invalid = {"*"}
    ticks.at += 6
    assert await ask(session, api.url) == (401, "no")
    assert len(api.seen) == 3


async def test_a_server_that_refuses_every_token_does_not_make_every_call_a_token_request(
    api: Api, session: aiohttp.ClientSession, server: Scripted
) -> None:
    api.invalid = {"*"}
    for _ in range(20):
        assert await ask(session, api.url) == (401, "no")
    assert len(server.questions) == 1


@pytest.mark.parametrize("challenge", ["Bearer", 'Bearer realm="invalid_token"', 'Basic realm="x"'])
async def test_another_401_is_the_callers(
    api: Api, session: aiohttp.ClientSession, ticks: Ticks, challenge: str
) -> None:
    await ask(session, api.url)
    api.invalid, api.challenge = {"*"}, challenge
    ticks.at += 6
    assert await ask(session, api.url) == (401, "no")
    assert len(api.seen) == 2


async def test_without_a_new_token_the_401_is_returned(
    api: Api, session: aiohttp.ClientSession, server: Scripted, ticks: Ticks
) -> None:
    await ask(session, api.url)
    api.invalid = {"*"}
    server.says("down", 503)
    ticks.at += 6
    assert await ask(session, api.url) == (401, "no")


async def test_no_token_goes_anywhere_else(api: Api, session: aiohttp.ClientSession) -> None:
    other = Api()
    await other.server.start_server()
    try:
        api.elsewhere = other.url
        assert await ask(session, other.url) == (200, "yes")
        assert await ask(session, f"{api.url}redirect") == (200, "yes")
        assert {token for _, token, _ in other.seen} == {""}
    finally:
        await other.server.close()


async def test_a_token_of_the_callers_own_is_left_alone(api: Api, session: aiohttp.ClientSession) -> None:
    await ask(session, api.url, headers={"Authorization": "Bearer mine"})
    assert [token for _, token, _ in api.seen] == ["mine"]


async def test_the_credentials_may_share_the_session(api: Api, server: Scripted) -> None:
    """Asking for a token must not ask for a token."""
    async with aiohttp.ClientSession() as plain:
        service = ClientCredentials(
            token_endpoint=server.token_endpoint,
            client_id="shop",
            client_secret="x",
            timeout_seconds=HANG_SECONDS,
            session=plain,
        )
        middleware = bearer_requests(service, api.url, server.url)
        async with plain.get(api.url, middlewares=[middleware]) as answer:
            assert answer.status == 200
        await service.close()


async def test_where_tokens_go_has_to_be_said(service: ClientCredentials) -> None:
    with pytest.raises(ValueError, match="origin"):
        bearer_requests(service)
