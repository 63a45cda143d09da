"""A balancer that asks ``/readyz`` hears that the service ends while it still takes connections."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.service.api import until
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

_REFUSALS_AWAITED = 3


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def in_production(
    request: pytest.FixtureRequest, directory: Path, redis_server: RedisServer
) -> Iterator[AuthcenterProcess]:
    settings = {
        "AUTHCENTER_ENV": "production",
        "AUTHCENTER_ISSUER": "https://auth.example",
        "AUTHCENTER_WORKERS": str(request.param),
        "AUTHCENTER_REDIS_URL": redis_server.url,
    }
    process = AuthcenterProcess(directory, settings=settings)
    assert process.cli("db", "upgrade").returncode == 0
    with process:
        yield process


def refused(process: AuthcenterProcess) -> bool:
    """Whether a balancer hears that the service ends: once more it has, then."""
    told = requests.get(f"{process.ops_url}/readyz", timeout=30)
    return told.status_code == 503 and told.json()["problems"] == ["draining"]


def test_a_balancer_hears_of_the_end_before_the_listener_closes(in_production: AuthcenterProcess) -> None:
    os.kill(in_production.child.pid, signal.SIGTERM)
    for number in range(1, _REFUSALS_AWAITED):
        until(lambda: refused(in_production), f"refusal {number}")
        # On a connection of its own, as from somebody whom the balancer has sent here meanwhile.
        served = requests.get(f"{in_production.url}/.well-known/jwks.json", timeout=30)
        assert (served.status_code, served.headers.get("Connection")) == (200, None)
    assert refused(in_production)
    until(lambda: not in_production.child.running, "it ends once the balancer knows")
    assert in_production.stop() == 0
