"""The operators' listener."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from authcenter.http.server import Listener
from tests.workbench import Workbench


@pytest.fixture
async def operators(bench: Workbench) -> AsyncIterator[aiohttp.ClientSession]:
    listener = await Listener(bench.service.operators, "127.0.0.1", 0).open()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as session:
        yield session
    await listener.runner.cleanup()


async def test_liveness_asks_nobody(bench: Workbench, operators: aiohttp.ClientSession) -> None:
    bench.board.down = True
    async with operators.get("/livez") as response:
        assert response.status == 200
    assert bench.board.asked == []


async def test_readiness(bench: Workbench, operators: aiohttp.ClientSession) -> None:
    health = bench.service.health
    health.dependencies["database"] = True
    for change, status, word in (
        ({}, 200, "ok"),
        ({"dependencies": {"database": False}}, 200, "degraded"),
        ({"clock_skew": 1.0}, 200, "degraded"),
        ({"clock_skew": -1.1}, 503, "unready"),
        ({"clock_skew": 0.0, "draining": True}, 503, "unready"),
        ({"draining": False, "missing": {"schema"}}, 503, "unready"),
    ):
        for name, value in change.items():
            setattr(health, name, value)
        async with operators.get("/readyz") as response:
            body = await response.json()
            assert (response.status, body["status"]) == (status, word)
            assert ("problems" in body) == (status == 503)
            assert "dependencies" in body


async def test_metrics_have_the_names_of_the_contract(bench: Workbench, operators: aiohttp.ClientSession) -> None:
    await bench.issue()
    await bench.follow()
    async with operators.get("/metrics") as response:
        assert response.content_type == "text/plain"
        text = await response.text()
    for name in (
        "token_request_seconds",
        "introspection_seconds",
        "refresh_replay_detected_total",
        "revocation_list_entries",
        "revocation_replica_lag_seconds",
        "revocation_degraded",
        "dependency_up",
        "config_version",
        "signing_key_age_seconds",
        "cache_requests_total",
        "login_total",
    ):
        assert f"authcenter_{name}" in text, name
    assert bench.alice.subject not in text


async def test_nothing_else_is_there(operators: aiohttp.ClientSession) -> None:
    async with operators.get("/oauth/token") as response:
        assert response.status == 404
    async with operators.post("/livez") as response:
        assert response.status == 405
