"""A rotation races the end of its family, in two processes on one PostgreSQL: whoever wins, nothing of it lives on."""

import random
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.caller import Answer, Caller
from tests.chaos.deployment import PASSWORD, USER, Deployment, selector
from tests.servers.postgres import PostgresServer

ROUNDS, SEED = 30, 20_261
MOST_HEAD_START = 0.006


@pytest.fixture
def deployment(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment.start(tmp_path / "one", postgres_server.create_database(), mortal=False)
    yield deployment
    deployment.server.stop()


def test_nothing_outlives_its_family(deployment: Deployment, tmp_path: Path) -> None:
    draw = random.Random(SEED)
    rotated = 0
    with deployment.server.sibling(tmp_path / "two") as other, ThreadPoolExecutor(2) as threads:
        here = deployment.patient
        there = replace(here, url=other.url)
        for _ in range(ROUNDS):
            first = here.sign_in(USER, PASSWORD)
            token = first["refresh_token"]
            rotation = threads.submit(late, draw.uniform(0, MOST_HEAD_START), here.refresh, token)
            revocation = threads.submit(late, draw.uniform(0, MOST_HEAD_START), there.revoke, token)
            assert revocation.result().status == 200
            answer = rotation.result()
            require_dead(deployment, there, first)
            if answer.status == 200:
                rotated += 1
                require_dead(deployment, there, answer.json)
                assert here.refresh(answer.json["refresh_token"]).status == 400
            else:
                assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
            assert here.refresh(token).status == 400
    assert 0 < rotated < ROUNDS


def late(seconds: float, act: Callable[[str], Answer], token: str) -> Answer:
    time.sleep(seconds)
    return act(token)


def require_dead(deployment: Deployment, caller: Caller, tokens: dict[str, str]) -> None:
    assert deployment.family(selector(tokens["refresh_token"])).living == []
    assert not caller.active(tokens["refresh_token"])
    assert not caller.active(tokens["access_token"])
