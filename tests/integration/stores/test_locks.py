"""Conformance of ``Locks``, in memory and as rows."""

import asyncio
from datetime import timedelta

from tests.integration.stores.backends import Stores

MINUTE, GONE = timedelta(minutes=1), timedelta(milliseconds=-1)


async def test_one_holder_at_a_time(processes: tuple[Stores, Stores]) -> None:
    one, other = (stores.locks for stores in processes)
    assert await one.acquire("a", "one", MINUTE)
    assert not await other.acquire("a", "other", MINUTE)
    assert await one.acquire("a", "one", MINUTE), "it keeps what it has"
    assert await other.acquire("b", "other", MINUTE), "another lock"


async def test_of_many_at_once_one_gets_it(processes: tuple[Stores, Stores]) -> None:
    for name in map(str, range(5)):
        wanted = [processes[n % 2].locks.acquire(name, str(n), MINUTE) for n in range(6)]
        assert (await asyncio.gather(*wanted)).count(True) == 1


async def test_a_lock_is_given_back_by_its_holder_only(stores: Stores) -> None:
    await stores.locks.acquire("a", "one", MINUTE)
    await stores.locks.release("a", "other")
    assert not await stores.locks.acquire("a", "other", MINUTE)
    await stores.locks.release("a", "one")
    await stores.locks.release("a", "one")
    assert await stores.locks.acquire("a", "other", MINUTE)


async def test_a_lock_lapses_by_itself(stores: Stores) -> None:
    assert await stores.locks.acquire("a", "one", GONE)
    assert await stores.locks.acquire("a", "other", MINUTE)
    assert not await stores.locks.acquire("a", "one", MINUTE)
