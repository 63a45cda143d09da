"""The read-through cache, against the three ways in which caches fail."""

import asyncio

import pytest

from authcenter.core.errors import StoreUnavailable
from authcenter.settings.policy import Policy, parse_policy
from authcenter.stores.cached import read_through as module
from authcenter.stores.cached.read_through import ReadThroughCache
from tests.workbench import SetClock


class Record:
    """What stands behind the cache; loads can be held up, and fail."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.loads: list[str] = []
        self.down = False
        self.open = asyncio.Event()
        self.open.set()

    async def load(self, key: str) -> str | None:
        self.loads.append(key)
        value = self.values.get(key)
        await self.open.wait()
        if self.down:
            raise StoreUnavailable("down")
        return value


class Bench:
    """A cache of a record, on a clock and with lots that a test sets."""

    def __init__(self, policy: str = "cache: {jitter: 0}") -> None:
        self.record, self.clock = Record(), SetClock()
        self.policy: Policy = parse_policy(policy, source="file")
        self.outcomes: list[str] = []
        self.lots: list[tuple[float, float]] = []
        self.lot = 1.0
        self.cache = ReadThroughCache[str](
            self.record.load, lambda: self.policy, self.clock, self.outcomes.append, self._draw
        )

    def _draw(self, least: float, most: float) -> float:
        self.lots.append((least, most))
        return self.lot


@pytest.fixture
def bench() -> Bench:
    bench = Bench()
    bench.record.values["a"] = "A"
    return bench


async def test_a_value_is_loaded_once_in_its_lifetime(bench: Bench) -> None:
    assert await bench.cache.find("a") == "A"
    bench.clock.advance(59.9)
    assert await bench.cache.find("a") == "A"
    assert bench.record.loads == ["a"]
    bench.clock.advance(0.1)
    bench.record.values["a"] = "B"
    assert await bench.cache.find("a") == "B"
    assert bench.outcomes == ["miss", "hit", "miss"]


async def test_a_thousand_who_ask_at_once_are_one_load(bench: Bench) -> None:
    bench.record.open.clear()
    asked = [asyncio.create_task(bench.cache.find("a")) for _ in range(1_000)]
    await asyncio.sleep(0)
    bench.record.open.set()
    assert set(await asyncio.gather(*asked)) == {"A"}
    assert bench.record.loads == ["a"]


async def test_one_who_gives_up_does_not_end_the_load_of_the_others(bench: Bench) -> None:
    bench.record.open.clear()
    first, second = (asyncio.create_task(bench.cache.find("a")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    bench.record.open.set()
    assert await second == "A"
    assert first.cancelled()
    assert await bench.cache.find("a") == "A"
    assert bench.record.loads == ["a"]


async def test_what_is_not_there_is_remembered_briefly(bench: Bench) -> None:
    assert await bench.cache.find("b") is None
    bench.clock.advance(4.9)
    assert await bench.cache.find("b") is None
    assert bench.record.loads == ["b"]
    bench.clock.advance(0.1)
    bench.record.values["b"] = "B"
    assert await bench.cache.find("b") == "B"


async def test_what_is_not_there_is_bounded_and_does_not_push_out_what_is(bench: Bench) -> None:
    await bench.cache.find("a")
    for number in range(module._MOST_ABSENT + 500):
        await bench.cache.find(f"absent-{number}")
    assert len(bench.cache._absent) == module._MOST_ABSENT
    bench.record.loads.clear()
    await bench.cache.find("a")
    await bench.cache.find(f"absent-{module._MOST_ABSENT + 499}")
    assert bench.record.loads == []


async def test_what_is_there_is_bounded_too(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ENTRIES", 10)
    for number in range(15):
        bench.record.values[str(number)] = "x"
        await bench.cache.find(str(number))
    assert list(bench.cache._present) == [str(number) for number in range(5, 15)]


async def test_an_endless_key_is_not_even_asked_for(bench: Bench) -> None:
    assert await bench.cache.find("x" * 513) is None
    assert bench.record.loads == []
    await bench.cache.find("x" * 512)
    assert len(bench.record.loads) == 1


async def test_lifetimes_are_drawn_around_the_policys() -> None:
    bench = Bench("cache: {ttl: 100, jitter: 0.25}")
    bench.record.values["a"] = "A"
    bench.lot = 0.75
    await bench.cache.find("a")
    assert bench.lots == [(0.75, 1.25)]
    bench.clock.advance(74)
    await bench.cache.find("a")
    assert len(bench.record.loads) == 1
    bench.clock.advance(1)
    await bench.cache.find("a")
    assert len(bench.record.loads) == 2


async def test_by_default_they_spread() -> None:
    bench = Bench("cache: {ttl: 100, jitter: 0.1}")
    spread = ReadThroughCache[str](bench.record.load, lambda: bench.policy, bench.clock, bench.outcomes.append)
    for number in range(200):
        bench.record.values[str(number)] = "x"
        await spread.find(str(number))
    lifetimes = [entry.fresh_until - bench.clock.seconds() for entry in spread._present.values()]
    assert 90 <= min(lifetimes) < 95
    assert 105 < max(lifetimes) <= 110


async def test_while_the_record_is_down_what_is_known_is_served_for_a_while(bench: Bench) -> None:
    await bench.cache.find("a")
    bench.record.down = True
    bench.clock.advance(600)
    assert await bench.cache.find("a") == "A"
    bench.clock.advance(0.5)
    with pytest.raises(StoreUnavailable):
        await bench.cache.find("a")
    assert bench.outcomes == ["miss", "stale", "error"]


async def test_what_was_never_known_cannot_be_told(bench: Bench) -> None:
    bench.record.down = True
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await bench.cache.find("a")
    bench.record.down = False
    assert await bench.cache.find("a") == "A"


async def test_what_is_forgotten_is_loaded_anew_and_served_stale_only_in_an_outage(bench: Bench) -> None:
    await bench.cache.find("a")
    bench.cache.forget("a")
    bench.record.values["a"] = "B"
    assert await bench.cache.find("a") == "B"
    bench.cache.forget_all()
    bench.record.down = True
    assert await bench.cache.find("a") == "B"
    bench.cache.forget("never known")


async def test_what_was_being_loaded_when_it_was_forgotten_is_not_kept(bench: Bench) -> None:
    bench.record.open.clear()
    early = asyncio.create_task(bench.cache.find("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    bench.record.values["a"] = "B"
    bench.cache.forget("a")
    late = asyncio.create_task(bench.cache.find("a"))
    await asyncio.sleep(0)
    bench.record.open.set()
    assert (await early, await late) == ("A", "B")
    assert await bench.cache.find("a") == "B"
    assert bench.record.loads == ["a", "a"]


async def test_what_appears_or_disappears_changes_sides(bench: Bench) -> None:
    await bench.cache.find("b")
    bench.record.values["b"] = "B"
    bench.cache.forget("b")
    assert await bench.cache.find("b") == "B"
    del bench.record.values["b"]
    bench.cache.forget("b")
    assert await bench.cache.find("b") is None
    assert "b" not in bench.cache._present
    assert "b" in bench.cache._absent


async def test_the_policy_in_force_counts(bench: Bench) -> None:
    await bench.cache.find("a")
    bench.policy = parse_policy("cache: {ttl: 1, negative_ttl: 0, jitter: 0}", source="file")
    bench.clock.advance(60)
    await bench.cache.find("a")
    bench.clock.advance(1)
    await bench.cache.find("a")
    assert len(bench.record.loads) == 3
    for _ in range(2):
        await bench.cache.find("b")
    assert len(bench.record.loads) == 5
