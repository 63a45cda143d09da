"""A service of several workers, shared by the tests of a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.service.running import Service, serving
from tests.integration.workers.crew import WORKERS, several, whole
from tests.servers.redis import RedisServer


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Four workers on SQLite."""
    for service in serving(several(tmp_path_factory.mktemp("workers"), redis_server)):
        whole(service, WORKERS)
        yield service


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """For a process of the test's own."""
    return tmp_path / "authcenter"
