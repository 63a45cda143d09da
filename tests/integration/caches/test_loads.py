"""How often the record is asked, by three processes together."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from authcenter.stores.sql.database import Database
from authcenter.stores.sql.schema import upgrade_schema
from tests.integration.stores.backends import sql_stores
from tests.integration.stores.samples import a_client
from tests.servers.redis import RedisServer

PROCESSES, REQUESTS = 3, 1_000
LONGEST_LIFETIME_SECONDS = 66
PROJECT = Path(__file__).parents[3]


class Readers:
    """Three processes that ask at the same time."""

    def __init__(self, stack: ExitStack, redis_url: str, database_url: str) -> None:
        command = [sys.executable, "-m", "tests.integration.caches.reader", redis_url, database_url]
        environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
        self._running = [
            stack.enter_context(
                subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT, env=environment
                )
            )
            for _ in range(PROCESSES)
        ]
        self._answers()

    def ask(self, key: str, ahead: int = 0) -> tuple[int, int]:
        """Ask a thousand times together, ``ahead`` seconds later than it is.

        Returns:
            How many loads there were until now, and how many values now.
        """
        for number, process in enumerate(self._running):
            assert process.stdin is not None
            times = REQUESTS // PROCESSES + (number < REQUESTS % PROCESSES)
            process.stdin.write(f"{key} {times} {ahead}\n")
            process.stdin.flush()
        told = [answer.split() for answer in self._answers()]
        return sum(int(loads) for loads, _ in told), sum(int(found) for _, found in told)

    def _answers(self) -> list[str]:
        return [process.stdout.readline() for process in self._running if process.stdout is not None]


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """A record with the client ``app``."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'authcenter.db'}"

    async def make() -> None:
        database = Database(url)
        await upgrade_schema(database)
        await sql_stores(database).clients.add(a_client("app"))
        await database.close()

    asyncio.run(make())
    return url


@pytest.fixture
def readers(redis_server: RedisServer, database_url: str) -> Iterator[Readers]:
    with ExitStack() as stack:
        yield Readers(stack, redis_server.restart_empty().url, database_url)


def test_a_thousand_requests_for_one_expired_key_are_one_load(readers: Readers) -> None:
    assert readers.ask("app") == (1, REQUESTS)
    assert readers.ask("app") == (1, REQUESTS)
    assert readers.ask("app", ahead=LONGEST_LIFETIME_SECONDS) == (2, REQUESTS)


def test_a_thousand_requests_for_an_unknown_client_are_one_load(readers: Readers) -> None:
    assert readers.ask("nobody") == (1, 0)
