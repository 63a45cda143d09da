"""Servers as pytest fixtures. A server is started for the first test that asks for it, and is each worker's own.

Tests that kill or freeze a server make one for themselves instead.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.smtp import SmtpServer


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    with PostgresServer() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: PostgresServer) -> str:
    """A fresh, empty database."""
    return postgres_server.create_database()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def authcenter_process(tmp_path: Path) -> Iterator[AuthcenterProcess]:
    """The product on an SQLite database of its own."""
    with AuthcenterProcess(tmp_path / "authcenter") as server:
        yield server


@pytest.fixture
def smtp_server(tmp_path: Path) -> Iterator[SmtpServer]:
    """A mail server that has got nothing yet."""
    with SmtpServer(tmp_path / "smtp") as server:
        yield server
