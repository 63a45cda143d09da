"""A hundred requests present one refresh token at once (RFC 9700 §4.14.2)."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass

import aiohttp
import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, policy

_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


async def storm(service: Service, client: Credentials, token: str) -> list[Answer]:
    """Refresh ``token`` a hundred times at once, each on a connection of its own."""
    form = {"grant_type": "refresh_token", "refresh_token": token, **client.form()}
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def refresh() -> Answer:
            async with session.post(f"{service.api.url}/oauth/token", data=form) as answer:
                return Answer(answer.status, await answer.read())

        return await asyncio.gather(*(refresh() for _ in range(_AT_ONCE)))


def first_tokens(service: Service, client: Credentials, username: str) -> dict[str, str]:
    service.operator.user(username)
    return service.api.issue(client, "password", username=username, password=PASSWORD)


async def test_one_of_a_hundred_succeeds_and_the_family_dies(either: Service) -> None:
    client = either.operator.client("storm", "password", "refresh_token")
    first = first_tokens(either, client, "storm")
    replays = either.api.metric("authcenter_refresh_replay_detected_total")

    answers = await storm(either, client, first["refresh_token"])

    assert sum(answer.status == 200 for answer in answers) == 1
    # A machine too busy to give each a connection to the database in time tells some to try again.
    assert {answer.status for answer in answers} <= {200, 400, 503}
    assert sum(answer.status == 400 for answer in answers) > 0
    errors = {answer.body for answer in answers if answer.status == 400}
    assert errors == {b'{"error":"invalid_grant","error_description":"The grant is not valid."}'}
    assert either.api.metric("authcenter_refresh_replay_detected_total") > replays
    won = next(json.loads(answer.body) for answer in answers if answer.status == 200)
    assert not either.api.active(client, first["access_token"])
    assert not either.api.active(client, won["access_token"])
    assert not either.api.active(client, won["refresh_token"])
    assert either.api.ask(client, "refresh_token", refresh_token=won["refresh_token"]).status_code == 400


@pytest.fixture
def patient(either: Service) -> Iterator[Service]:
    """With ten seconds of grace for honest retries, in the policy file."""
    with policy(either, "tokens: {refresh_reuse_grace: 10}"):
        yield either


async def test_within_the_grace_all_hundred_get_one_answer(patient: Service) -> None:
    client = patient.operator.client("patient", "password", "refresh_token")
    first = first_tokens(patient, client, "patient")

    answers = await storm(patient, client, first["refresh_token"])

    assert {answer.status for answer in answers} <= {200, 503}
    (body,) = {answer.body for answer in answers if answer.status == 200}
    assert patient.api.active(client, json.loads(body)["access_token"])
