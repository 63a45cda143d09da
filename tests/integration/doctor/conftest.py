"""A deployment on PostgreSQL and Redis, and whoever asks the doctor about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.console import Console
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer


@pytest.fixture
def careless_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """One that keeps nothing over a restart, and throws away what it has no room for."""
    options = ("--appendonly", "no", "--maxmemory", "50mb", "--maxmemory-policy", "allkeys-lru")
    with RedisServer(tmp_path / "redis", options=options) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_database(postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of one that has the schema and nothing in it, to make others of."""
    url = postgres_server.create_database()
    made = Console(tmp_path_factory.mktemp("migrated"))
    made.environment["AUTHCENTER_DATABASE_URL"] = url
    assert made.run("db", "upgrade").exit_code == 0
    return url.rpartition("/")[2]


@pytest.fixture
def production(tmp_path: Path, postgres_server: PostgresServer, migrated_database: str) -> Console:
    """The commands of a production deployment in which nothing has been done yet."""
    made = Console(tmp_path)
    made.environment |= {
        "AUTHCENTER_ENV": "production",
        "AUTHCENTER_ISSUER": "https://auth.example",
        "AUTHCENTER_TRUSTED_PROXIES": "10.0.0.0/8",
        "AUTHCENTER_DATABASE_URL": postgres_server.create_database(template=migrated_database),
    }
    return made


@pytest.fixture
def console(tmp_path: Path) -> Console:
    """The commands of a developer, on an SQLite database that has the schema."""
    (tmp_path / "development").mkdir()
    made = Console(tmp_path / "development")
    assert made.run("db", "upgrade").exit_code == 0
    return made
