"""Revoked on one instance, refused by a resource server that follows another."""

import asyncio
from uuid import uuid4

import pytest

from authcenter.sdk.feed import Way
from tests.integration.feed.conftest import Pair
from tests.integration.feed.following import API, Balancer, ResourceServer, until
from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD

pytestmark = pytest.mark.long

WAYS = pytest.mark.parametrize("way", list(Way))


async def registered(pair: Pair) -> tuple[Credentials, Credentials]:
    """An application, and the resource server."""
    name = uuid4().hex[:12]
    operator = pair.one.operator
    app = await asyncio.to_thread(operator.client, f"app-{name}", "password", "refresh_token", audiences=[API])
    return app, await asyncio.to_thread(operator.client, f"api-{name}", serves=[API])


async def issued(pair: Pair, app: Credentials) -> dict[str, str]:
    return await asyncio.to_thread(pair.one.api.issue, app, "password", username="alice", password=PASSWORD)


@WAYS
async def test_a_revoked_token_is_refused(pair: Pair, way: Way) -> None:
    app, api = await registered(pair)
    async with ResourceServer(pair.issuer, pair.other.api.url, api, way=way) as server:
        first, second = (await issued(pair, app))["access_token"], (await issued(pair, app))["access_token"]
        revoked, kept = await server.read(first), await server.read(second)
        assert server.feed.refusal(revoked) is None
        await asyncio.to_thread(pair.one.api.revoke, app, first)
        await until(lambda: server.feed.refusal(revoked), "it is refused")
        assert server.feed.refusal(kept) is None
        assert server.feed.status.way is way


async def test_an_ended_family_and_a_disabled_client_are_refused(pair: Pair) -> None:
    app, api = await registered(pair)
    async with ResourceServer(pair.issuer, pair.other.api.url, api) as server:
        tokens = await issued(pair, app)
        of_family = await server.read(tokens["access_token"])
        other = await server.read((await issued(pair, app))["access_token"])
        await asyncio.to_thread(pair.one.api.revoke, app, tokens["refresh_token"])
        await until(lambda: server.feed.refusal(of_family), "the family's token is refused")
        assert server.feed.refusal(other) is None
        done = await asyncio.to_thread(pair.one.process.cli, "clients", "update", app.client_id, "--disable")
        assert done.returncode == 0, done.stderr
        await until(lambda: server.feed.refusal(other), "the client's token is refused")


async def test_behind_a_balancer_one_instance_goes_on_where_the_other_stopped(pair: Pair) -> None:
    app, api = await registered(pair)
    async with Balancer() as balancer:
        balancer.turn_to(pair.one.process.port)
        async with ResourceServer(pair.issuer, balancer.url, api) as server:
            for turn in (pair.other, pair.one, pair.other):
                token = (await issued(pair, app))["access_token"]
                held = await server.read(token)
                balancer.turn_to(0)
                await until(lambda: server.feed.status.problem, "nobody is reached")
                await asyncio.to_thread(pair.one.api.revoke, app, token)
                assert server.feed.refusal(held) is None
                balancer.turn_to(turn.process.port)
                await until(lambda held=held: server.feed.refusal(held), "it is refused")
            assert server.seen.kinds.count("snapshot") == 1
            assert server.seen.kinds.count("reset") == 0


async def test_the_resource_server_is_told_that_it_serves_nothing(pair: Pair) -> None:
    app, _ = await registered(pair)
    answer = await asyncio.to_thread(pair.one.api.get, "/oauth/revocations", auth=(app.client_id, app.secret))
    assert answer.status_code == 403
    assert answer.json()["error"] == "unauthorized_client"
