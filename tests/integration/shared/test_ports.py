"""What holds of every port of shared state, wherever it lives."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import SealedEntries, WakeUps
from tests.integration.shared.conftest import Shared

LONG, SHORT = timedelta(hours=1), timedelta(milliseconds=30)
HANG_SECONDS = 90


@pytest.fixture
def name() -> str:
    """One that no other test uses."""
    return f"{uuid4()} of {{tests}}"


async def until(happens: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(HANG_SECONDS):
        while not await happens():
            await asyncio.sleep(0.01)


async def test_a_value_is_used_once(everywhere: Shared, name: str) -> None:
    assert await everywhere.replay.first_use("dpop", name, LONG)
    assert not await everywhere.replay.first_use("dpop", name, LONG)
    assert await everywhere.replay.first_use("assertion", name, LONG)


async def test_of_many_who_use_a_value_one_is_first(everywhere: Shared, name: str) -> None:
    uses = await asyncio.gather(*(everywhere.replay.first_use("dpop", name, LONG) for _ in range(15)))
    assert sum(uses) == 1


async def test_what_has_lapsed_may_be_used_anew(everywhere: Shared, name: str) -> None:
    assert await everywhere.replay.first_use("dpop", name, SHORT)
    await until(lambda: everywhere.replay.first_use("dpop", name, LONG))
    assert not await everywhere.replay.first_use("dpop", name, LONG)


async def test_slots_are_counted_down_and_then_refused(everywhere: Shared, name: str) -> None:
    rate = Rate(3, 3600)
    taken = [await everywhere.counters.take(name, rate) for _ in range(4)]
    assert [(one.allowed, one.remaining) for one in taken] == [(True, 2), (True, 1), (True, 0), (False, 0)]
    assert [one.retry_after for one in taken[:3]] == [0, 0, 0]
    assert 0 < taken[3].retry_after <= 1200
    assert 2400 < taken[3].reset_after <= 3600
    assert (await everywhere.counters.take(f"{name} else", rate)).allowed


async def test_a_slot_given_back_can_be_taken_again_once(everywhere: Shared, name: str) -> None:
    rate = Rate(7, 3600)
    for _ in range(7):
        assert (await everywhere.counters.take(name, rate)).allowed
    await everywhere.counters.give_back(name, rate)
    assert [(await everywhere.counters.take(name, rate)).allowed for _ in range(2)] == [True, False]


async def test_giving_back_makes_no_slots(everywhere: Shared, name: str) -> None:
    rate = Rate(2, 3600)
    await everywhere.counters.give_back(name, rate, 5)
    await everywhere.counters.take(name, rate)
    await everywhere.counters.give_back(name, rate, 5)
    assert [(await everywhere.counters.take(name, rate)).allowed for _ in range(3)] == [True, True, False]


async def test_many_slots_are_taken_together_or_not_at_all(everywhere: Shared, name: str) -> None:
    rate = Rate(10, 3600)
    assert (await everywhere.counters.take(name, rate, 8)).remaining == 2
    refused = await everywhere.counters.take(name, rate, 3)
    assert (refused.allowed, refused.remaining) == (False, 2)
    assert (await everywhere.counters.take(name, rate, 2)).allowed
    assert not (await everywhere.counters.take(f"{name} else", rate, 11)).allowed


async def test_of_many_who_take_at_once_as_many_get_a_slot_as_there_are(everywhere: Shared, name: str) -> None:
    taken = await asyncio.gather(*(everywhere.counters.take(name, Rate(10, 3600)) for _ in range(18)))
    assert sum(one.allowed for one in taken) == 10


async def test_slots_come_back_with_time(everywhere: Shared, name: str) -> None:
    rate = Rate(20, 1)

    async def refused() -> bool:
        return not (await everywhere.counters.take(name, rate, 20)).allowed

    async def allowed() -> bool:
        return (await everywhere.counters.take(name, rate)).allowed

    await everywhere.counters.take(name, rate, 20)
    await until(refused)
    await until(allowed)


def entries_of(shared: Shared) -> SealedEntries:
    assert shared.entries is not None
    return shared.entries


async def test_an_entry_is_filled_by_who_has_the_lease(shared: Shared, name: str) -> None:
    entries = entries_of(shared)
    assert await entries.get(name) is None
    assert not await entries.put(name, b"value", LONG, "one")
    assert await entries.lease(name, "one", LONG)
    assert not await entries.lease(name, "two", LONG)
    assert not await entries.put(name, b"value", LONG, "two")
    assert await entries.put(name, b"value", LONG, "one")
    assert await entries.get(name) == b"value"
    assert await entries.lease(name, "two", LONG)


async def test_a_lease_is_given_up_by_its_holder_or_lapses(shared: Shared, name: str) -> None:
    entries = entries_of(shared)
    assert await entries.lease(name, "one", LONG)
    await entries.give_up(name, "two")
    assert not await entries.lease(name, "two", LONG)
    await entries.give_up(name, "one")
    assert await entries.lease(name, "two", SHORT)
    await until(lambda: entries.lease(name, "three", LONG))


async def test_what_was_read_before_an_entry_was_removed_is_not_kept_after_it(shared: Shared, name: str) -> None:
    entries = entries_of(shared)
    await entries.lease(name, "one", LONG)
    await entries.put(name, b"old", LONG, "one")
    await entries.lease(name, "two", LONG)
    await entries.remove(name)
    assert await entries.get(name) is None
    assert not await entries.put(name, b"old", LONG, "two")
    assert await entries.get(name) is None


async def test_an_entry_lapses_by_itself(shared: Shared, name: str) -> None:
    entries = entries_of(shared)
    await entries.lease(name, "one", LONG)
    await entries.put(name, b"value", SHORT, "one")

    async def gone() -> bool:
        return await entries.get(name) is None

    await until(gone)


def wake_ups_of(shared: Shared) -> WakeUps:
    assert shared.wake_ups is not None
    return shared.wake_ups


async def test_who_waits_is_woken(shared: Shared, name: str) -> None:
    wake_ups = wake_ups_of(shared)
    waiting = asyncio.create_task(wake_ups.wait(name, LONG))
    for _ in range(100):
        await wake_ups.wake(name)
        await asyncio.wait([waiting], timeout=0.05)
        if waiting.done():
            break
    assert await waiting


async def test_nobody_is_woken_for_another_queue_or_for_ever(shared: Shared, name: str) -> None:
    wake_ups = wake_ups_of(shared)
    assert not await wake_ups.wait(name, SHORT)
    await wake_ups.wake(f"{name} else")
    assert not await wake_ups.wait(name, SHORT)


async def test_a_wake_up_between_two_waits_is_not_missed(shared: Shared, name: str) -> None:
    wake_ups = wake_ups_of(shared)
    assert not await wake_ups.wait(name, SHORT)
    await wake_ups.wake(name)
    await wake_ups.wake(name)
    assert await wake_ups.wait(name, LONG)
    assert not await wake_ups.wait(name, SHORT)
