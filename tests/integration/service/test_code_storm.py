"""A hundred requests present one authorization code at once (RFC 9700 §4.5, RFC 6749 §4.1.2), to one process or two."""

import asyncio
import json

import aiohttp
import pytest

from tests.integration.conformance.browser import Browser
from tests.integration.conformance.deployment import furnish
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.relying_party import RelyingParty
from tests.integration.service.api import until
from tests.integration.service.running import Service

_AT_ONCE = 100


async def storm(urls: list[str], client: RelyingParty, code: str) -> list[tuple[int, bytes]]:
    """Redeem ``code`` a hundred times at once, each on a connection of its own, in turn at each of ``urls``."""
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": client.redirect_uri}
    headers = {"Authorization": client.authorization}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def redeem(number: int) -> tuple[int, bytes]:
            url = f"{urls[number % len(urls)]}/oauth/token"
            async with session.post(url, data=form, headers=headers) as answer:
                return answer.status, await answer.read()

        return await asyncio.gather(*(redeem(number) for number in range(_AT_ONCE)))


@pytest.mark.parametrize("processes", ["service", "on_postgres", "on_postgres beside"])
async def test_one_of_a_hundred_wins_and_then_its_tokens_are_dead(
    request: pytest.FixtureRequest, processes: str
) -> None:
    services: list[Service] = [request.getfixturevalue(name) for name in processes.split()]
    service = services[0]
    deployment = furnish(service, f"code-storm-{len(services)}")
    client = deployment.client
    with Browser(deployment.issuer) as browser:
        flow = Flow(deployment, client, deployment.person(browser))
        code = flow.code(scope="openid offline_access", prompt="consent")

    answers = await storm([one.api.url for one in services], client, code)

    statuses = [status for status, _ in answers]
    assert statuses.count(200) == 1
    # A machine too busy to give each a connection to the database in time tells some to try again.
    assert set(statuses) <= {200, 400, 503}
    assert 400 in statuses
    errors = {body for status, body in answers if status == 400}
    assert errors == {b'{"error":"invalid_grant","error_description":"The grant is not valid."}'}
    won = json.loads(next(body for status, body in answers if status == 200))
    client.secrets |= {won[name].rpartition(".")[2] for name in ("access_token", "refresh_token", "id_token")}
    for one in services:
        # The other process hears of it.
        until(lambda one=one: _userinfo(one, won["access_token"]) == 401, "the access token is refused everywhere")
    refused = client.ask("refresh_token", refresh_token=won["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def _userinfo(service: Service, token: str) -> int:
    return service.api.get("/oauth/userinfo", headers={"Authorization": f"Bearer {token}"}).status_code
