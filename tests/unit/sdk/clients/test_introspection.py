"""Asking about a token: active, not active, cannot tell."""

import asyncio
from typing import Any

import pytest
from aiohttp import web

from authcenter.core.errors import Reason, TokenRejected, Unavailable
from authcenter.core.rules import Rule
from authcenter.sdk.introspection import IntrospectionClient
from authcenter.sdk.strict_verification import StrictVerification
from tests.unit.sdk.clients.scripted import HANG_SECONDS, Question, Scripted, Ticks, middle
from tests.unit.sdk.guards import resource
from tests.unit.sdk.watching import Watching
from tests.workbench import API, OTHER_API, START, SetClock, rejected

NOW = int(START.timestamp())
ACTIVE = {"active": True, "sub": "usr_alice", "client_id": "app", "scope": "read write", "exp": NOW + 300}
SECRET = "s3cr:t +%/é"


def asking(server: Scripted, ticks: Ticks, **changes: Any) -> IntrospectionClient:
    options = {
        "introspection_endpoint": server.introspection_endpoint,
        "client_id": "or:ders",
        "client_secret": SECRET,
        "clock": SetClock(),
        "timeout_seconds": HANG_SECONDS,
        **changes,
    }
    return IntrospectionClient(**{"monotonic": ticks, "uniform": middle, **options})


async def arrived(server: Scripted, questions: int) -> None:
    while len(server.questions) < questions:
        await asyncio.sleep(0.001)


async def test_an_active_token_is_told_with_its_claims(server: Scripted, ticks: Ticks) -> None:
    server.says({**ACTIVE, "aud": [API], "extra": 1})
    async with asking(server, ticks) as client:
        found = await client.introspect("acr_opaque", hint="refresh_token")
        assert found is not None
        assert (found.subject, found.client_id, found.scopes) == ("usr_alice", "app", {"read", "write"})
        assert (found.audience, found.expires_at, found.claims["extra"]) == ((API,), NOW + 300, 1)
        assert [secret for secret in (SECRET, "s3cr") if secret in repr(client) + repr(vars(client))] == []
    form = {"token": "acr_opaque", "token_type_hint": "refresh_token"}
    assert server.questions == [Question("/introspect", form, "or:ders", SECRET)]


async def test_a_token_that_is_not_active_is_none(server: Scripted, ticks: Ticks) -> None:
    server.says({"active": False, "sub": 7})
    async with asking(server, ticks) as client:
        assert await client.introspect("acr_opaque") is None


@pytest.mark.parametrize(
    ("answer", "options"),
    [
        pytest.param({"aud": OTHER_API}, {"audience": API}, id="for another resource"),
        pytest.param({"aud": [OTHER_API]}, {"audience": API}, id="for other resources"),
        pytest.param({"exp": NOW}, {}, id="past its end"),
    ],
)
async def test_a_token_that_does_not_hold_here_is_none(
    server: Scripted, ticks: Ticks, answer: dict[str, Any], options: dict[str, Any]
) -> None:
    server.says(ACTIVE | answer)
    async with asking(server, ticks, **options) as client:
        assert await client.introspect("acr_opaque") is None


@pytest.mark.parametrize("token", ["", "a\nb", "é", "x" * 16_385], ids=["empty", "line break", "not ASCII", "too long"])
async def test_what_no_server_issues_is_not_asked_about(server: Scripted, ticks: Ticks, token: str) -> None:
    async with asking(server, ticks) as client:
        assert await client.introspect(token) is None
    assert not server.questions


CANNOT_TELL = [
    pytest.param({"active": "true"}, 200, id="active is a string"),
    pytest.param({"active": 1}, 200, id="active is a number"),
    pytest.param({"active": None}, 200, id="active is null"),
    pytest.param({}, 200, id="active is absent"),
    pytest.param([True], 200, id="no object"),
    pytest.param("", 200, id="nothing"),
    pytest.param('{"active":false,"active":true}', 200, id="active twice"),
    pytest.param('{"active":true,"exp":NaN}', 200, id="no number"),
    pytest.param(ACTIVE | {"exp": "soon"}, 200, id="exp is a string"),
    pytest.param(ACTIVE | {"exp": True}, 200, id="exp is a bool"),
    pytest.param(ACTIVE | {"scope": ["read"]}, 200, id="scope is a list"),
    pytest.param(ACTIVE | {"sub": 7}, 200, id="sub is a number"),
    pytest.param(ACTIVE | {"aud": {"a": 1}}, 200, id="aud is an object"),
    pytest.param(ACTIVE | {"aud": [API, 1]}, 200, id="aud holds a number"),
    pytest.param(ACTIVE | {"iss": "https://evil.example"}, 200, id="another issuer's"),
    pytest.param({"active": False}, 201, id="another status"),
    pytest.param({"active": False}, 503, id="unavailable"),
    pytest.param({"active": False}, 500, id="failed"),
    pytest.param({"active": False}, 401, id="this client is not known"),
    pytest.param({"error": "invalid_request"}, 400, id="refused"),
    pytest.param("x" * 300_000, 200, id="too large"),
]


@pytest.mark.parametrize(("document", "status"), CANNOT_TELL)
async def test_anything_else_is_not_being_able_to_tell(
    server: Scripted, ticks: Ticks, document: Any, status: int
) -> None:
    server.says(document, status)
    async with asking(server, ticks, issuer="https://auth.example") as client:
        with pytest.raises(Unavailable):
            await client.introspect("acr_opaque")


async def test_identical_questions_share_an_answer_and_others_do_not(server: Scripted, ticks: Ticks) -> None:
    server.gate.clear()

    async def by_token(request: web.Request, form: dict[str, str]) -> web.Response:
        return web.json_response(ACTIVE | {"sub": form["token"]})

    server.answer = by_token
    async with asking(server, ticks) as client:
        tokens = ["one", "two"] * 25
        waiting = [asyncio.create_task(client.introspect(token)) for token in tokens]
        await arrived(server, 2)
        waiting.pop().cancel()
        server.gate.set()
        found = await asyncio.gather(*waiting)
    assert [one and one.subject for one in found] == tokens[:-1]
    assert len(server.questions) == 2


async def test_nothing_is_kept_unless_it_is_asked_for(server: Scripted, ticks: Ticks) -> None:
    server.says(ACTIVE)
    async with asking(server, ticks) as client:
        await client.introspect("acr_opaque")
        server.says({"active": False})
        assert await client.introspect("acr_opaque") is None


async def test_active_is_kept_for_as_long_as_was_asked_for(server: Scripted, ticks: Ticks) -> None:
    server.says(ACTIVE)
    async with asking(server, ticks, cache_seconds=5) as client:
        await client.introspect("acr_opaque")
        server.says({"active": False})
        ticks.at += 4.9
        assert await client.introspect("acr_opaque") is not None
        assert await client.introspect("acr_opaquf") is None  # another token has an answer of its own
        ticks.at += 0.2
        assert await client.introspect("acr_opaque") is None


async def test_nothing_is_kept_beyond_the_tokens_end(server: Scripted, ticks: Ticks) -> None:
    clock = SetClock()
    server.says(ACTIVE)
    async with asking(server, ticks, cache_seconds=3_600, clock=clock) as client:
        await client.introspect("acr_opaque")
        clock.advance(300)
        assert await client.introspect("acr_opaque") is None
    assert len(server.questions) == 2


async def test_not_active_is_never_kept(server: Scripted, ticks: Ticks) -> None:
    server.says({"active": False})
    async with asking(server, ticks, cache_seconds=5) as client:
        await client.introspect("acr_opaque")
        server.says(ACTIVE)
        assert await client.introspect("acr_opaque") is not None


async def test_what_is_kept_is_bounded(server: Scripted, ticks: Ticks) -> None:
    server.says(ACTIVE)
    async with asking(server, ticks, cache_seconds=5, cached=2) as client:
        for token in ("one", "two", "three", "three", "two"):
            await client.introspect(token)
        assert len(server.questions) == 3
        await client.introspect("one")
    assert len(server.questions) == 4


async def test_a_server_that_failed_is_left_alone_and_then_asked_by_one(server: Scripted, ticks: Ticks) -> None:
    server.says("", 503, {"Retry-After": "9"})
    async with asking(server, ticks) as client:
        with pytest.raises(Unavailable):
            await client.introspect("one")
        for number in range(20):
            with pytest.raises(Unavailable) as told:
                await client.introspect(f"token-{number}")
            assert told.value.retry_after == 9
        assert len(server.questions) == 1
        ticks.at += 9.1
        server.gate.clear()
        trial = asyncio.create_task(client.introspect("one"))
        await arrived(server, 2)
        with pytest.raises(Unavailable):
            await client.introspect("two")  # one at a time finds out
        server.says(ACTIVE)
        server.gate.set()
        assert await trial is not None
        assert await client.introspect("two") is not None


async def test_a_question_that_was_refused_alone_does_not_stop_the_others(server: Scripted, ticks: Ticks) -> None:
    server.says({"error": "invalid_request"}, 400)
    async with asking(server, ticks) as client:
        with pytest.raises(Unavailable):
            await client.introspect("one")
        server.says(ACTIVE)
        assert await client.introspect("two") is not None


async def test_a_server_that_is_not_there_cannot_be_asked(ticks: Ticks) -> None:
    async with Scripted() as gone:
        endpoint = gone.introspection_endpoint
    async with IntrospectionClient(
        introspection_endpoint=endpoint, client_id="orders", client_secret="x", monotonic=ticks, uniform=middle
    ) as client:
        with pytest.raises(Unavailable):
            await client.introspect("one")


async def test_a_server_that_stays_silent_is_not_waited_for(server: Scripted, ticks: Ticks) -> None:
    server.gate.clear()
    async with asking(server, ticks, timeout_seconds=0.01) as client:
        with pytest.raises(Unavailable):
            await client.introspect("one")


async def test_strict_is_both_the_check_and_the_question(server: Scripted, ticks: Ticks) -> None:
    async with asking(server, ticks) as client:
        watching = Watching()
        strict = StrictVerification(resource.verifier(), client, watching)
        assert (strict.issuer, strict.audience) == (resource.verifier().issuer, API)
        server.says(ACTIVE)
        assert (await strict.verify(resource.token(), "read")).client_id == "app"
        with rejected(Rule.TOKEN_AUDIENCE):
            await strict.verify(resource.token(aud=OTHER_API))
        server.says({"active": False})
        with rejected(Rule.TOKEN_REVOKED, Reason.REVOKED):
            await strict.verify(resource.token())
        assert watching.reasons == [Reason.REVOKED]
        assert len(server.questions) == 2
        server.says("", 500)
        with pytest.raises(Unavailable):
            await strict.verify(resource.token())
        with pytest.raises(TokenRejected):
            await strict.verify("rubbish")
