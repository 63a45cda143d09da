"""SQLite under load while another writer holds the file, and while the disk is full: refused clearly or done, never
half done, and nothing that was acknowledged is lost."""

import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment
from tests.chaos.load import Told, require_kept, under_load

QUIET_SECONDS, OUTAGE_SECONDS = 1.0, 3.0
SLOWEST_SECONDS = 3.5
LOG_LINES_PER_OUTAGE = 10
WRITES = ("refresh", "revoke")
READS = ("client_credentials", "introspect", "introspect refresh token")


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    deployment = Deployment.start(tmp_path, mortal=False)
    yield deployment
    deployment.server.stop()


def test_locked_by_another_writer(deployment: Deployment) -> None:
    with under_load(deployment) as told, closing(sqlite3.connect(deployment.directory / "authcenter.db")) as other:
        time.sleep(QUIET_SECONDS)
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        told.phase = "down"
        time.sleep(OUTAGE_SECONDS)
        other.execute("ROLLBACK")
        told.phase = "after"
        time.sleep(QUIET_SECONDS)
    check(deployment, told)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="only Linux can limit another process's files")
def test_disk_full(deployment: Deployment) -> None:
    with under_load(deployment) as told:
        time.sleep(QUIET_SECONDS)
        limits = resource.prlimit(deployment.server.child.pid, resource.RLIMIT_FSIZE)
        log = (deployment.directory / "authcenter.db-wal").stat().st_size
        # The write-ahead log has no room for another page; what it has lies far from the next checkpoint.
        assert deployment.server.log.stat().st_size < log // 2
        resource.prlimit(deployment.server.child.pid, resource.RLIMIT_FSIZE, (log, limits[1]))
        told.phase = "down"
        time.sleep(OUTAGE_SECONDS)
        resource.prlimit(deployment.server.child.pid, resource.RLIMIT_FSIZE, limits)
        told.phase = "after"
        time.sleep(QUIET_SECONDS)
    check(deployment, told)
    assert told.statuses("refresh", "down") >= {503}


def check(deployment: Deployment, told: Told) -> None:
    assert not told.wrong
    for kind in READS:
        assert told.statuses(kind) == {200}
    for kind in WRITES:
        assert 503 in told.statuses(kind, "down")
        assert told.statuses(kind, "before") == {200}
        assert 200 in told.statuses(kind, "after")
    assert max(told.slowest.values()) < SLOWEST_SECONDS, told.slowest
    require_kept(deployment, told)
    assert len(deployment.log_lines()) < LOG_LINES_PER_OUTAGE, deployment.log_lines()
    with closing(sqlite3.connect(deployment.directory / "authcenter.db")) as reader:
        assert reader.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
