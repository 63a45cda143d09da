"""The server is killed, comes back, or leaves in order, while resource servers follow it."""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import jwt
import pytest

from authcenter.core.client import OnOutage
from authcenter.core.errors import RevocationsUnknown
from authcenter.sdk.event_stream import read_events
from authcenter.sdk.feed_document import EVENT_STREAM, PATH
from tests.integration.feed.following import API, ResourceServer, until
from tests.integration.service.api import Credentials
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

pytestmark = pytest.mark.long


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    yield from serving(AuthcenterProcess(tmp_path / "authcenter"))


@pytest.fixture(params=["1", "2"], ids=["one process", "two workers"])
def leaving(request: pytest.FixtureRequest, redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    settings = {"AUTHCENTER_WORKERS": request.param, "AUTHCENTER_REDIS_URL": redis_server.url}
    yield from serving(AuthcenterProcess(tmp_path / "authcenter", settings=settings))


def registered(service: Service) -> tuple[Credentials, Credentials]:
    app = service.operator.client("app", "client_credentials", audiences=[API])
    return app, service.operator.client("api", serves=[API])


async def test_validation_goes_on_and_what_was_revoked_meanwhile_arrives(service: Service) -> None:
    app, api = await asyncio.to_thread(registered, service)
    tokens = [service.api.issue(app)["access_token"] for _ in range(3)]
    async with ResourceServer(service.api.issuer, service.api.url, api) as server:
        before, meanwhile, never = [await server.read(token) for token in tokens]
        await asyncio.to_thread(service.api.revoke, app, tokens[0])
        await until(lambda: server.feed.refusal(before), "it is refused")

        await asyncio.to_thread(service.process.kill)
        await until(lambda: server.feed.status.problem, "the server is gone")
        # The record is still there: the command line revokes.
        done = await asyncio.to_thread(service.process.cli, "tokens", "revoke", "--token-stdin", stdin=tokens[1])
        assert done.returncode == 0, done.stderr
        assert server.feed.refusal(before)
        assert server.feed.refusal(meanwhile) is None
        assert server.feed.refusal(never) is None

        await asyncio.to_thread(service.process.restart)
        await until(lambda: server.feed.refusal(meanwhile), "what was revoked meanwhile is refused")
        assert server.feed.refusal(never) is None
        assert server.feed.refusal(before)
        # It was away for less than the journal of a new process looks back.
        assert server.seen.kinds.count("snapshot") == 1


async def test_closed_refuses_once_the_server_has_been_gone_for_too_long(service: Service) -> None:
    app, api = await asyncio.to_thread(registered, service)
    token = service.api.issue(app)["access_token"]
    closed = {"on_outage": OnOutage.CLOSED, "max_staleness": 3600.0}
    async with ResourceServer(service.api.issuer, service.api.url, api, **closed) as server:
        held = await server.read(token)
        assert server.feed.refusal(held) is None
        await asyncio.to_thread(service.process.kill)
        await until(lambda: server.feed.status.problem, "the server is gone")
        assert server.feed.refusal(held) is None
        server.feed.max_staleness = 0.1
        await until(lambda: server.feed.version is None, "it is too old")
        with pytest.raises(RevocationsUnknown):
            server.feed.refusal(held)
        server.feed.max_staleness = 3600.0
        await asyncio.to_thread(service.process.restart)
        await until(lambda: not server.feed.status.problem, "it is followed again")
        assert server.feed.refusal(held) is None


async def test_who_follows_does_not_keep_a_process_from_leaving(leaving: Service) -> None:
    _, api = await asyncio.to_thread(registered, leaving)
    auth = {"Authorization": aiohttp.encode_basic_auth(api.client_id, api.secret or "")}
    async with aiohttp.ClientSession(leaving.api.url) as session:
        async with session.get(PATH, headers=auth) as answer:
            assert answer.status == 200
        async with session.get(PATH, headers={**auth, "Accept": EVENT_STREAM}) as stream:
            events = read_events(stream.content.iter_any(), 1 << 20)
            signed = (await anext(events)).data[0]
            assert signed.count(".") == 2
            os.kill(leaving.process.child.pid, signal.SIGTERM)
            # It is told to the end, and the end comes.
            rest = [event.kind async for event in events]
            assert set(rest) <= {"delta"}
    assert await asyncio.to_thread(leaving.process.stop) == 0


async def test_a_long_poll_is_answered_when_the_process_leaves(service: Service) -> None:
    _, api = await asyncio.to_thread(registered, service)
    auth = {"Authorization": aiohttp.encode_basic_auth(api.client_id, api.secret or "")}
    async with aiohttp.ClientSession(service.api.url) as session:
        async with session.get(PATH, headers={**auth, "Accept": EVENT_STREAM}) as stream:
            first = await anext(read_events(stream.content.iter_any(), 1 << 20))
        cursor = _claims(first.data[0])["cursor"]
        waits = asyncio.create_task(_body(session, auth, cursor))
        # A request that came later has been answered: the one before it is under way.
        async with session.get(PATH, headers=auth) as later:
            assert later.status == 200
        os.kill(service.process.child.pid, signal.SIGTERM)
        answered = _claims((await waits).partition(b"\n")[0].decode())
        assert answered["kind"] == "delta"
        assert answered["after"] == cursor
    assert await asyncio.to_thread(service.process.stop) == 0


async def _body(session: aiohttp.ClientSession, auth: dict[str, str], cursor: str) -> bytes:
    async with session.get(PATH, params={"after": cursor, "wait": "30"}, headers=auth) as answer:
        assert answer.status == 200
        return await answer.read()


def _claims(signed: str) -> dict[str, str]:
    claims: dict[str, str] = jwt.decode(signed, options={"verify_signature": False})
    return claims
