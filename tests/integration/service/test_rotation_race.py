"""Several instances over one database: for one due time there is one key, whoever races, with the lock and without."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.accounts.passwords import PasswordHashing
from authcenter.jose.algorithms import Alg
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import parse_policy
from authcenter.stores.ports.keys import StoredKey
from authcenter.stores.ports.locks import Locks
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record
from authcenter.workers.rotation import RotationWorker
from tests.servers.postgres import PostgresServer
from tests.workbench import SetClock, settings

POLICY = parse_policy("keys: {rotate_every: 86400, publish_before_use: 3600}", source="file")
DAY = timedelta(days=1)
INSTANCES = 3
DAYS = 5


class Unlocked(Locks):
    """A lock that lapsed under each who holds it: all go on at once."""

    async def acquire(self, name: str, holder: str, lasts: timedelta) -> bool:
        return True

    async def release(self, name: str, holder: str) -> None:
        return None


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'race.db'}"
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.create_database()


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def cores(database_url: str, clock: SetClock) -> AsyncIterator[list[Core]]:
    """What each instance is made of."""
    async with AsyncExitStack() as stack:
        hashing, boot = PasswordHashing(), settings(DATABASE_URL=database_url)
        stack.callback(hashing.close)
        made = []
        for _ in range(INSTANCES):
            record = await stack.enter_async_context(open_record(boot, clock))
            made.append(build_core(boot, LivePolicy(POLICY), record.stores, hashing, clock))
        await record.upgrade_schema()
        yield made


def worker(core: Core, name: str, locks: Locks) -> RotationWorker:
    return RotationWorker(
        rotation=core.rotation,
        keys=core.keys,
        brake=core.brake,
        locks=locks,
        policy=core.policy,
        clock=core.clock,
        log=structlog.wrap_logger(CapturingLogger(), processors=[]),
        holder=name,
        ready=lambda: True,
    )


async def of_es256(core: Core) -> list[StoredKey]:
    keys = [key for key in await core.stores.keys.list_keys() if key.alg == Alg.ES256]
    return sorted(keys, key=lambda key: key.signs_from)


@pytest.mark.parametrize("instances", [2, 3])
@pytest.mark.parametrize("locked", [True, False], ids=["with the lock", "whatever became of the lock"])
async def test_one_key_for_one_due_time(cores: list[Core], clock: SetClock, instances: int, locked: bool) -> None:
    taking_part = cores[:instances]
    workers = [
        worker(core, str(number), core.stores.locks if locked else Unlocked())
        for number, core in enumerate(taking_part)
    ]
    for _ in range(DAYS * 24 + 1):
        await asyncio.gather(*(core.keys.reload() for core in taking_part))
        await asyncio.gather(*(one.step() for one in workers))
        clock.at += timedelta(hours=1)
    keys = await of_es256(cores[0])
    assert [later.signs_from - earlier.signs_from for earlier, later in pairwise(keys)] == [DAY] * DAYS
    await asyncio.gather(*(core.keys.reload() for core in cores))
    assert len({core.keys.ring.signer("ES256").kid for core in cores}) == 1
    # The first private halves are destroyed, once each.
    rows = await cores[0].stores.audit.rows()
    events = [row.event for row in rows]
    assert events.count("key.created") == DAYS + 1
    assert events.count("key.dropped") == sum(1 for key in keys if not key.private_pem) == DAYS - 2
    assert {row.actor for row in rows} == {"system"}


async def test_the_first_start_of_several_makes_one_key_each(cores: list[Core]) -> None:
    await asyncio.gather(*(core.rotation.ensure("system") for core in cores))
    assert sorted(key.alg for key in await cores[0].stores.keys.list_keys()) == sorted(Alg)


async def test_a_rollback_beside_a_rotation_leaves_a_key_that_signs(cores: list[Core], clock: SetClock) -> None:
    for core in cores:
        await core.rotation.ensure("system")
    await cores[0].rotation.rotate(Alg.ES256, timedelta(0), "tests")
    clock.at += DAY - timedelta(hours=1)
    for core in cores:
        await core.keys.reload()
    workers = [worker(core, str(n), Unlocked()) for n, core in enumerate(cores[1:])]
    await asyncio.gather(cores[0].rotation.roll_back(Alg.ES256, "tests"), *(one.step() for one in workers))
    for core in cores:
        await core.keys.reload()
        assert core.keys.ring.signer("ES256")
