"""Two processes with a cache each, over entries that they share and one record."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from authcenter.core.errors import SharedStateUnavailable, StoreUnavailable
from authcenter.settings.policy import Policy, parse_policy
from authcenter.stores.cached import read_through as module
from authcenter.stores.cached import second_level
from authcenter.stores.cached.codec import Loaded, RecordCodec
from authcenter.stores.cached.read_through import ReadThroughCache
from authcenter.stores.cached.second_level import SecondLevel, anything, entry_name
from authcenter.stores.memory.shared import MemoryEntries
from tests.unit.cached.test_read_through import Record
from tests.workbench import SetClock


class Between:
    """Stands between the processes and their entries: may be gone, and sees what is put."""

    def __init__(self, entries: MemoryEntries) -> None:
        self._entries = entries
        self.gone = False
        self.lives: list[timedelta] = []

    def __getattr__(self, method: str) -> Callable[..., Any]:
        real = getattr(self._entries, method)

        async def call(*args: Any) -> Any:
            if self.gone:
                raise SharedStateUnavailable("gone")
            if method == "put":
                self.lives.append(args[2])
            return await real(*args)

        return call


class Bench:
    """Two processes, ``one`` and ``two``."""

    def __init__(self, policy: str = "cache: {jitter: 0}", may_leave: Callable[[str], bool] = anything) -> None:
        self.record, self.clock = Record(), SetClock()
        self.record.values["a"] = "A"
        self.policy: Policy = parse_policy(policy, source="file")
        self.entries: Any = Between(MemoryEntries(self.clock))
        self.codec = RecordCodec(str)
        self.outcomes: list[str] = []
        self.may_leave = may_leave
        self.one, self.two = self.process(), self.process()

    def process(self) -> ReadThroughCache[str]:
        def policy() -> Policy:
            return self.policy

        second = SecondLevel(self.entries, "thing", self.codec, policy, self.clock, self.may_leave)
        return ReadThroughCache(self.record.load, policy, self.clock, self.outcomes.append, second=second)

    async def write(self, key: str, value: str) -> None:
        """As a third process writes, and invalidates."""
        self.record.values[key] = value
        await self.entries.remove(entry_name("thing", key))


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_one_process_has_loaded_the_other_need_not_load(bench: Bench) -> None:
    assert (await bench.one.find("a"), await bench.two.find("a"), await bench.two.find("a")) == ("A", "A", "A")
    assert bench.record.loads == ["a"]
    assert bench.outcomes == ["miss", "shared", "hit"]


async def test_that_there_is_nothing_is_shared_too(bench: Bench) -> None:
    assert (await bench.one.find("b"), await bench.two.find("b")) == (None, None)
    assert bench.record.loads == ["b"]
    bench.clock.advance(5)
    bench.record.values["b"] = "B"
    assert await bench.two.find("b") == "B"


async def test_what_is_shared_is_nowhere_good_for_longer_than_where_it_was_loaded(bench: Bench) -> None:
    await bench.one.find("a")
    bench.clock.advance(59)
    await bench.two.find("a")
    bench.record.values["a"] = "B"
    bench.clock.advance(1)
    assert (await bench.two.find("a"), await bench.one.find("a")) == ("B", "B")
    assert bench.record.loads == ["a", "a"]


async def test_a_policy_that_shortens_lifetimes_holds_for_what_is_there_already(bench: Bench) -> None:
    await bench.one.find("a")
    bench.policy = parse_policy("cache: {jitter: 0, ttl: 10}", source="file")
    bench.clock.advance(10)
    await bench.two.find("a")
    assert bench.record.loads == ["a", "a"]


async def test_one_loads_while_the_other_waits(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_level, "_LONGEST_WAIT_SECONDS", 3600.0)
    bench.record.open.clear()
    first = asyncio.create_task(bench.one.find("a"))
    while not bench.record.loads:
        await asyncio.sleep(0)
    second = asyncio.create_task(bench.two.find("a"))
    await asyncio.sleep(0.02)
    bench.record.open.set()
    assert (await first, await second) == ("A", "A")
    assert bench.record.loads == ["a"]


async def test_who_has_waited_long_enough_loads_by_itself(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_level, "_LONGEST_WAIT_SECONDS", 0.02)
    await bench.entries.lease(entry_name("thing", "a"), "one that died", timedelta(hours=1))
    assert await bench.two.find("a") == "A"
    assert not bench.entries.lives


async def test_a_load_that_fails_leaves_the_right_to_others(bench: Bench) -> None:
    bench.record.down = True
    with pytest.raises(StoreUnavailable):
        await bench.one.find("a")
    bench.record.down = False
    assert await bench.two.find("a") == "A"
    assert len(bench.entries.lives) == 1


async def test_what_was_read_before_a_write_is_not_shared_after_it(bench: Bench) -> None:
    bench.record.open.clear()
    early = asyncio.create_task(bench.one.find("a"))
    while not bench.record.loads:
        await asyncio.sleep(0)
    await bench.write("a", "B")
    bench.record.open.set()
    assert await early == "A"
    assert await bench.two.find("a") == "B"
    await bench.one.invalidate("a")
    assert await bench.one.find("a") == "B"


async def test_what_could_not_be_removed_is_not_believed_when_it_is_back(bench: Bench) -> None:
    await bench.one.find("a")
    bench.entries.gone = True
    bench.record.values["a"] = "B"
    await bench.two.invalidate("a")
    bench.entries.gone = False
    assert await bench.two.find("a") == "B"


async def test_after_a_gap_nothing_older_is_believed(bench: Bench) -> None:
    await bench.one.find("a")
    bench.record.values["a"] = "B"
    bench.two.forget_all()
    assert await bench.two.find("a") == "B"


async def test_without_the_second_level_every_process_loads_for_itself(bench: Bench) -> None:
    bench.entries.gone = True
    assert (await bench.one.find("a"), await bench.two.find("a")) == ("A", "A")
    assert bench.record.loads == ["a", "a"]


async def test_a_new_process_serves_what_others_knew_while_the_record_is_down(bench: Bench) -> None:
    await bench.one.find("a")
    bench.record.down = True
    bench.clock.advance(599)
    assert await bench.two.find("a") == "A"
    bench.clock.advance(2)
    with pytest.raises(StoreUnavailable):
        await bench.two.find("a")
    with pytest.raises(StoreUnavailable):
        await bench.process().find("a")


async def test_what_may_not_leave_the_process_does_not() -> None:
    bench = Bench(may_leave=lambda value: value != "A")
    assert (await bench.one.find("a"), await bench.two.find("a")) == ("A", "A")
    assert bench.record.loads == ["a", "a"]
    assert bench.entries.lives == []


async def test_an_entry_that_cannot_be_read_is_a_miss(bench: Bench) -> None:
    name = entry_name("thing", "a")
    for written in (b"", b"[", bench.codec.write(Loaded("from the future", bench.clock.seconds() + 3, 1e12))):
        await bench.entries.lease(name, "x", timedelta(hours=1))
        await bench.entries.put(name, written, timedelta(hours=1), "x")
        assert await bench.process().find("a") == "A"
        await bench.entries.remove(name)


async def test_strangers_fill_the_second_level_no_further_than_the_first(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOST_ABSENT", 10)
    for number in range(25):
        await bench.one.find(f"absent-{number}")
    assert len(bench.entries.lives) == 10
    bench.clock.advance(6)
    await bench.one.find("absent-later")
    assert len(bench.entries.lives) == 11


async def test_a_thousand_entries_written_together_lapse_spread_as_the_jitter_says() -> None:
    bench = Bench("cache: {ttl: 100, jitter: 0.1, stale_if_error: 0}")
    for number in range(1_000):
        bench.record.values[str(number)] = "x"
        await bench.one.find(str(number))
    lives = sorted(one.total_seconds() for one in bench.entries.lives)
    assert len(lives) == 1_000
    assert 90 <= lives[0] < 91
    assert 109 < lives[-1] <= 110
    # Evenly: no tenth of the range holds more than one and a half times its share.
    tenths = [sum(low <= life < low + 2 for life in lives) for low in range(90, 110, 2)]
    assert max(tenths) <= 150
