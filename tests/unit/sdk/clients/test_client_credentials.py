"""A service's own tokens: kept, renewed ahead of time, served while the authorization server is gone."""

import asyncio
import logging
import traceback
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from authcenter.core.errors import Unavailable
from authcenter.sdk.client_credentials import ClientCredentials, TokenRefused
from tests.unit.sdk.clients.scripted import HANG_SECONDS, Question, Scripted, Ticks, middle

SECRET = "s3cr:t +%/é"


def credentials(server: Scripted, ticks: Ticks, **changes: Any) -> ClientCredentials:
    options = {"token_endpoint": server.token_endpoint, "client_id": "sh:op", "client_secret": SECRET, **changes}
    return ClientCredentials(**{"monotonic": ticks, "uniform": middle, "timeout_seconds": HANG_SECONDS, **options})


async def settled(server: Scripted, questions: int) -> None:
    """Until the server has been asked so often, and what follows has happened."""
    while len(server.questions) < questions:
        await asyncio.sleep(0.001)


async def renewed(service: ClientCredentials, before: str) -> str:
    """Until the background has brought another token."""
    while (token := await service.token()) == before:
        await asyncio.sleep(0.001)
    return token


async def test_a_token_is_asked_for_once_and_kept(server: Scripted, ticks: Ticks) -> None:
    async with credentials(server, ticks, scopes=["b", "a"], resource="https://api.example") as service:
        assert [await service.token() for _ in range(3)] == ["token-1"] * 3
        assert await service.headers() == {"Authorization": "Bearer token-1"}
    form = {"grant_type": "client_credentials", "scope": "a b", "resource": "https://api.example"}
    assert server.questions == [Question("/token", form, "sh:op", SECRET)]


async def test_the_endpoint_is_found_by_the_issuer(server: Scripted, ticks: Ticks) -> None:
    async with credentials(server, ticks, token_endpoint=None, issuer=server.url) as service:
        assert await service.token() == "token-1"


@pytest.mark.parametrize(
    "metadata",
    [
        pytest.param({"issuer": "https://evil.example"}, id="of another issuer"),
        pytest.param({"token_endpoint": "http://evil.example/token"}, id="plain http elsewhere"),
        pytest.param({"token_endpoint": None}, id="without the endpoint"),
    ],
)
async def test_metadata_that_must_not_be_believed(server: Scripted, ticks: Ticks, metadata: dict[str, Any]) -> None:
    server.metadata = metadata
    async with credentials(server, ticks, token_endpoint=None, issuer=server.url) as service:
        with pytest.raises(Unavailable):
            await service.token()
    assert not server.questions


async def test_all_that_ask_at_once_share_one_request(server: Scripted, ticks: Ticks) -> None:
    server.gate.clear()
    async with credentials(server, ticks) as service:
        waiting = [asyncio.create_task(service.token()) for _ in range(50)]
        await settled(server, 1)
        waiting.pop().cancel()  # who gives up takes nothing from the others
        server.gate.set()
        assert set(await asyncio.gather(*waiting)) == {"token-1"}
    assert len(server.questions) == 1


async def test_each_scope_and_resource_has_a_token_of_its_own(server: Scripted, ticks: Ticks) -> None:
    async with credentials(server, ticks, scopes=["read"]) as service:
        read = await service.token()
        write = await service.token(scopes=["write"])
        other = await service.token(resource="https://other.example")
        assert len({read, write, other}) == 3
        assert await service.token(scopes=("write",)) == write
        assert await service.token(scopes={"read"}) == read


async def test_a_token_is_renewed_in_the_background_before_it_expires(server: Scripted, ticks: Ticks) -> None:
    async with credentials(server, ticks) as service:
        await service.token()
        ticks.at += 77  # of 100; due at 77.5
        assert await service.token() == "token-1"
        assert len(server.questions) == 1
        ticks.at += 1
        server.gate.clear()
        assert await service.token() == "token-1"  # at once: the renewal is still under way
        await settled(server, 2)
        server.gate.set()
        assert await renewed(service, "token-1") == "token-2"
    assert len(server.questions) == 2


async def test_instances_renew_at_different_times(server: Scripted, ticks: Ticks) -> None:
    drawn: list[tuple[float, float]] = []

    def uniform(low: float, high: float) -> float:
        drawn.append((low, high))
        return low

    async with credentials(server, ticks, uniform=uniform) as service:
        await service.token()
    assert drawn == [(0.70, 0.85)]


async def test_a_token_at_hand_is_served_while_renewing_fails(
    server: Scripted, ticks: Ticks, caplog: pytest.LogCaptureFixture
) -> None:
    async with credentials(server, ticks) as service:
        await service.token()
        server.says({"error": "server_error"}, 500)
        ticks.at += 80
        with caplog.at_level(logging.WARNING, "authcenter.sdk"):
            assert await service.token() == "token-1"
            await settled(server, 2)
            while not caplog.records:
                await asyncio.sleep(0.001)
        for _ in range(20):  # left alone meanwhile
            assert await service.token() == "token-1"
        assert len(server.questions) == 2
        ticks.at += 11  # past its end, less the safety margin
        with pytest.raises(Unavailable):
            await service.token()
        server.answer = server.token
        ticks.at += 60
        assert await service.token() == "token-2"


RETRY_AFTER = [
    pytest.param("7", 7, id="seconds"),
    pytest.param("99999999", 600, id="more than is believed"),
    pytest.param("Fri, 31 Dec 9998 23:59:59 GMT", 600, id="a date"),
    pytest.param("Sat, 01 Jan 2000 00:00:00 GMT", 1, id="a date in the past"),
    pytest.param("Fri, 31 Dec 9999 23:59:59 -2359", 1, id="a date beyond all"),
    pytest.param("nonsense", 1, id="nonsense"),
    pytest.param("-5", 1, id="less than nothing"),
]


@pytest.mark.parametrize(("said", "seconds"), RETRY_AFTER)
async def test_a_server_that_asks_to_be_left_alone_is(server: Scripted, ticks: Ticks, said: str, seconds: int) -> None:
    server.says({"error": "temporarily_unavailable"}, 429, {"Retry-After": said})
    async with credentials(server, ticks) as service:
        with pytest.raises(Unavailable):
            await service.token()
        with pytest.raises(Unavailable) as told:
            await service.token()
        assert told.value.retry_after == seconds
        ticks.at += seconds - 0.1
        with pytest.raises(Unavailable):
            await service.token()
        assert len(server.questions) == 1
        ticks.at += 0.2
        server.answer = server.token
        assert await service.token() == "token-1"


async def test_pauses_grow_with_each_failure(server: Scripted, ticks: Ticks) -> None:
    server.says({"error": "invalid_scope"}, 400)
    async with credentials(server, ticks) as service:
        pauses = []
        for asked in range(1, 12):
            started = ticks.at
            while len(server.questions) < asked:
                with pytest.raises(TokenRefused):
                    await service.token()
                ticks.at += 0.05
            pauses.append(ticks.at - started)
    assert pauses == sorted(pauses)
    assert pauses[-1] == pytest.approx(22.5, abs=0.2)  # three quarters of the longest, 30 s


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_client"), (400, "invalid_scope"), (400, "invalid_target")])
async def test_a_refusal_carries_the_code_of_the_rfc(server: Scripted, ticks: Ticks, status: int, code: str) -> None:
    server.says({"error": code, "error_description": "…"}, status)
    async with credentials(server, ticks) as service:
        for _ in range(2):  # the second without asking
            with pytest.raises(TokenRefused) as refused:
                await service.token()
            assert (refused.value.code, refused.value.status) == (code, status)
    assert len(server.questions) == 1


UNUSABLE = [
    pytest.param("not JSON", 200, id="no JSON"),
    pytest.param("[]", 200, id="no object"),
    pytest.param("[" * 100_000, 200, id="nested too deep"),
    pytest.param('{"access_token":"a","access_token":"b","token_type":"Bearer"}', 200, id="a member twice"),
    pytest.param({"token_type": "Bearer"}, 200, id="no token"),
    pytest.param({"access_token": "", "token_type": "Bearer"}, 200, id="an empty token"),
    pytest.param({"access_token": 1, "token_type": "Bearer"}, 200, id="a token that is no string"),
    pytest.param({"access_token": "a\r\nX: y", "token_type": "Bearer"}, 200, id="a token with a line break"),
    pytest.param({"access_token": "a"}, 200, id="no type"),
    pytest.param({"access_token": "a", "token_type": "DPoP"}, 200, id="a type that is not understood"),
    pytest.param({"access_token": "a", "token_type": "Bearer", "expires_in": True}, 200, id="no lifetime"),
    pytest.param({"access_token": "a", "token_type": "Bearer", "expires_in": -1}, 200, id="a lifetime in the past"),
    pytest.param({"access_token": "a", "token_type": "Bearer", "expires_in": "9"}, 200, id="a lifetime as text"),
    pytest.param({"access_token": "a", "token_type": "Bearer"}, 201, id="another status"),
    pytest.param("gone", 404, id="no such endpoint"),
    pytest.param("x" * 300_000, 200, id="too large"),
]


@pytest.mark.parametrize(("document", "status"), UNUSABLE)
async def test_an_answer_that_cannot_be_used_is_none(
    server: Scripted, ticks: Ticks, document: Any, status: int
) -> None:
    server.says(document, status)
    async with credentials(server, ticks) as service:
        with pytest.raises(Unavailable):
            await service.token()


async def test_the_secret_does_not_follow_a_redirect(server: Scripted, ticks: Ticks) -> None:
    server.says("", 307, {"Location": "/elsewhere"})
    async with credentials(server, ticks) as service:
        with pytest.raises(Unavailable):
            await service.token()
    assert [question.path for question in server.questions] == ["/token"]


async def test_a_token_without_a_lifetime_is_kept_for_a_minute_at_most(server: Scripted, ticks: Ticks) -> None:
    server.expires_in = None
    async with credentials(server, ticks) as service:
        assert await service.token() == "token-1"
        ticks.at += 60
        assert await service.token() == "token-2"


async def test_a_kept_connection_that_broke_is_no_failure(server: Scripted, ticks: Ticks) -> None:
    async def broken(request: web.Request, form: dict[str, str]) -> web.StreamResponse:
        server.answer = server.token
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    server.answer = broken
    async with credentials(server, ticks) as service:
        assert await service.token() == "token-1"


async def test_a_server_that_is_not_there_cannot_be_asked(ticks: Ticks) -> None:
    async with Scripted() as gone:
        endpoint = gone.token_endpoint
    async with ClientCredentials(
        token_endpoint=endpoint, client_id="shop", client_secret=SECRET, monotonic=ticks, uniform=middle
    ) as service:
        with pytest.raises(Unavailable):
            await service.token()


async def test_a_server_that_stays_silent_is_not_waited_for(server: Scripted, ticks: Ticks) -> None:
    server.gate.clear()
    async with credentials(server, ticks, timeout_seconds=0.01) as service:
        with pytest.raises(Unavailable):
            await service.token()


async def test_kinds_of_tokens_that_are_kept_are_bounded(server: Scripted, ticks: Ticks) -> None:
    async with credentials(server, ticks) as service:
        for number in [*range(257), 256, 0]:
            await service.token(scopes=[f"scope-{number}"])
    assert [question.form["scope"] for question in server.questions[256:]] == ["scope-256", "scope-0"]


async def test_a_session_that_was_lent_stays_open(server: Scripted, ticks: Ticks) -> None:
    async with aiohttp.ClientSession() as session:
        async with credentials(server, ticks, session=session) as service:
            await service.token()
        assert not session.closed


async def test_closing_ends_what_is_under_way(server: Scripted, ticks: Ticks) -> None:
    server.gate.clear()
    service = credentials(server, ticks)
    waiting = asyncio.create_task(service.token())
    await settled(server, 1)
    await service.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_nothing_shows_a_secret(server: Scripted, ticks: Ticks, caplog: pytest.LogCaptureFixture) -> None:
    shown: list[str] = []
    with caplog.at_level(logging.DEBUG, "authcenter"):
        async with credentials(server, ticks) as service:
            await service.token()
            shown += [repr(service), repr(vars(service)), str(service)]
            server.says({"error": "invalid_client"}, 401)
            with pytest.raises(TokenRefused) as refused:
                await service.token(scopes=["other"])
            shown += traceback.format_exception(refused.value)
    text = "".join(shown) + caplog.text
    assert "sh:op" in text
    assert not [secret for secret in (SECRET, "s3cr", "token-1") if secret in text]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"token_endpoint": None}, id="neither issuer nor endpoint"),
        pytest.param({"token_endpoint": "http://id.example/token"}, id="plain http"),
        pytest.param({"token_endpoint": None, "issuer": "http://id.example"}, id="an issuer over plain http"),
        pytest.param({"scopes": ["a b"]}, id="two scopes in one"),
    ],
)
async def test_what_could_not_work_is_refused_at_the_start(
    server: Scripted, ticks: Ticks, options: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"https|needed|scope"):
        credentials(server, ticks, **options)
