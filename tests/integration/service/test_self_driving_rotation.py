"""Keys rotate by policy every few seconds on two instances under load: nobody notices."""

import asyncio
import itertools
import time
from collections.abc import Iterator

import aiohttp
import pytest

from authcenter.core.ids import new_jti
from tests.integration.service.api import until
from tests.integration.service.running import Service, policy
from tests.integration.service.test_rotation_under_load import Load

EVERY_SECONDS = 3
DOCUMENT = f"""
keys: {{rotate_every: {EVERY_SECONDS}, publish_before_use: 2}}
jwks: {{max_age: 1}}
rate_limits: {{token_per_client: 10000/second}}
"""
ROTATIONS = 2
_CLIENTS = 4
_HANG_SECONDS = 60


@pytest.fixture
def rotating(on_postgres: Service, beside: Service) -> Iterator[Service]:
    """Both instances, which read one policy file, with keys that live for seconds."""
    with policy(on_postgres, DOCUMENT):
        until(lambda: policy_version(beside) == policy_version(on_postgres), "the other instance reads it too")
        yield on_postgres


def policy_version(service: Service) -> str:
    return str(service.api.ops("/readyz").json()["policy_version"])


def made(service: Service) -> list[tuple[str, int, int]]:
    rows = service.operator.rows(
        "SELECT kid, created_at, signs_from FROM signing_keys WHERE alg = 'ES256' ORDER BY signs_from"
    )
    return [tuple(row) for row in rows]


async def test_rotation_by_policy_under_load_fails_nobody(rotating: Service, beside: Service) -> None:
    client = rotating.operator.client(f"driven-{new_jti()}", "client_credentials", audiences=["https://load.example"])
    urls = (rotating.api.url, beside.api.url)
    async with aiohttp.ClientSession() as session:
        load = Load(client, session)
        tasks = [asyncio.create_task(load.run(urls[n % 2], urls[1 - n % 2])) for n in range(_CLIENTS)]
        started = time.monotonic()
        while len(load.kids) < ROTATIONS + 1:
            assert time.monotonic() - started < _HANG_SECONDS
            assert not any(task.done() for task in tasks), [task.exception() for task in tasks if task.done()]
            await asyncio.sleep(0.1)
        load.over.set()
        await asyncio.gather(*tasks)
    keys = [(created_at, signs_from) for _, created_at, signs_from in made(rotating)[-ROTATIONS:]]
    assert len(keys) == ROTATIONS
    for (_, earlier), (created_at, signs_from) in itertools.pairwise(keys):
        assert signs_from - earlier >= EVERY_SECONDS * 10**6, "one key a period, though two instances make them"
        assert signs_from - created_at >= 1_900_000, "published first"
    events = rotating.operator.rows("SELECT actor, context FROM auth_audit WHERE event = 'key.created'")
    assert sum(1 for actor, _ in events if actor == "system") >= ROTATIONS
    print(f"{load.rounds} rounds over {len(load.kids)} keys")
