"""A Consul that tests share, each under a prefix of its own; who kills it makes one for itself."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.consul import ConsulServer


@pytest.fixture(scope="session")
def shared_consul(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsulServer]:
    with ConsulServer(tmp_path_factory.mktemp("consul")) as server:
        yield server


@pytest.fixture
def consul(tmp_path: Path) -> Iterator[ConsulServer]:
    """The test's own."""
    with ConsulServer(tmp_path / "consul") as server:
        yield server


@pytest.fixture
def prefix(request: pytest.FixtureRequest) -> str:
    """For this test's keys in the shared Consul."""
    return f"authcenter/{abs(hash(request.node.nodeid)):x}"
