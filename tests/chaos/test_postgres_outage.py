"""PostgreSQL dies or falls silent under load: what needs it is refused clearly, everything else goes on, nothing that
was acknowledged is lost, and when it is back so is the service, by itself."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment, wait_until
from tests.chaos.load import Told, require_kept, under_load
from tests.servers.postgres import PostgresServer

QUIET_SECONDS, DOWN_SECONDS, FROZEN_SECONDS = 1.5, 4.0, 4.0
SLOWEST_SECONDS = 2.0
LOG_LINES_PER_OUTAGE = 10
NEEDS_SQL = ("refresh", "revoke", "introspect refresh token")
NEEDS_NONE = ("client_credentials", "introspect")


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer(durable=True) as server:
        yield server


@pytest.fixture
def deployment(postgres: PostgresServer, tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment.start(tmp_path, postgres.create_database(), mortal=False)
    yield deployment
    deployment.server.stop()


def ready(deployment: Deployment, status: str) -> None:
    wait_until(lambda: deployment.readiness()["status"] == status, f"/readyz to say {status}")


def test_killed_and_restarted(deployment: Deployment, postgres: PostgresServer) -> None:
    with under_load(deployment) as told:
        time.sleep(QUIET_SECONDS)
        told.phase = "down"
        postgres.kill()
        ready(deployment, "degraded")
        time.sleep(DOWN_SECONDS)
        told.phase = "coming"
        postgres.start()
        ready(deployment, "ok")
        told.phase = "after"
        time.sleep(QUIET_SECONDS)
    check(deployment, told)


def test_frozen_and_thawed(deployment: Deployment, postgres: PostgresServer) -> None:
    with under_load(deployment) as told:
        time.sleep(QUIET_SECONDS)
        told.phase = "down"
        postgres.freeze()
        try:
            ready(deployment, "degraded")
            time.sleep(FROZEN_SECONDS)
        finally:
            postgres.thaw()
        told.phase = "coming"
        ready(deployment, "ok")
        told.phase = "after"
        time.sleep(QUIET_SECONDS)
    check(deployment, told)


def check(deployment: Deployment, told: Told) -> None:
    assert not told.wrong
    for kind in NEEDS_NONE:
        assert told.statuses(kind) == {200}
        assert told.statuses(kind, "down") == {200}
    for kind in NEEDS_SQL:
        assert 503 in told.statuses(kind, "down")
        assert told.statuses(kind, "before") == {200}
        assert 200 in told.statuses(kind, "after")
    assert max(told.slowest.values()) < SLOWEST_SECONDS, told.slowest
    require_kept(deployment, told)
    log = deployment.log_lines()
    assert len(log) < LOG_LINES_PER_OUTAGE, log
    assert {"dependency_down", "dependency_up"} <= {line["event"] for line in log}
