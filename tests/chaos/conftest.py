"""Databases, and deployments on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.deployment import Deployment
from tests.servers.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """For tests in which the service dies; those that kill PostgreSQL itself have one of their own."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def deployment(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A server that dies on demand and comes back; shared by the tests of a file."""
    directory: Path = tmp_path_factory.mktemp("deployment")
    url = None
    if request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.create_database()
    deployment = Deployment.start(directory, url)
    yield deployment
    deployment.server.stop()
