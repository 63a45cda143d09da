"""What every implementation of ``RateCounters`` promises."""

import asyncio

import pytest

from authcenter.settings.rate import Rate
from authcenter.stores.memory.shared import MemoryRateCounters
from tests.workbench import SetClock

RATE = Rate(10, 3600)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def counters(clock: SetClock) -> MemoryRateCounters:
    return MemoryRateCounters(clock)


async def test_the_limit_at_once_and_no_more(counters: MemoryRateCounters) -> None:
    taken = await asyncio.gather(*(counters.take("k", RATE) for _ in range(100)))
    assert sum(each.allowed for each in taken) == 10
    assert [each.remaining for each in taken[:10]] == list(range(9, -1, -1))
    assert taken[0].retry_after == 0
    assert taken[0].reset_after == pytest.approx(360, abs=1)
    assert taken[-1].retry_after == pytest.approx(360, abs=1)
    assert taken[-1].reset_after == pytest.approx(3600, abs=1)


async def test_one_is_free_after_the_other(counters: MemoryRateCounters, clock: SetClock) -> None:
    await counters.take("k", RATE, 10)
    clock.advance(361)
    assert (await counters.take("k", RATE)).allowed
    assert not (await counters.take("k", RATE)).allowed
    clock.advance(3600)
    assert (await counters.take("k", RATE, 10)).allowed


async def test_many_slots_or_none(counters: MemoryRateCounters) -> None:
    assert (await counters.take("k", RATE, 8)).allowed
    refused = await counters.take("k", RATE, 3)
    assert (refused.allowed, refused.remaining) == (False, 2)
    assert (await counters.take("k", RATE, 2)).allowed


async def test_what_is_given_back_is_free(counters: MemoryRateCounters) -> None:
    await counters.take("k", RATE, 10)
    await counters.give_back("k", RATE, 2)
    assert (await counters.take("k", RATE, 2)).allowed
    assert not (await counters.take("k", RATE)).allowed


async def test_giving_back_what_was_never_taken_gives_nothing(counters: MemoryRateCounters) -> None:
    await counters.give_back("k", RATE, 5)
    assert not (await counters.take("k", RATE, 11)).allowed
    assert (await counters.take("k", RATE, 10)).allowed


async def test_keys_are_apart(counters: MemoryRateCounters) -> None:
    await counters.take("a", RATE, 10)
    assert (await counters.take("b", RATE, 10)).allowed
