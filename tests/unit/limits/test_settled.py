"""Limits counted in the process and settled with the others."""

import random
from datetime import timedelta

import pytest

from authcenter.core.errors import RateLimited, SharedStateUnavailable
from authcenter.core.rules import Rule
from authcenter.limits.settled import MOST_KEYS_A_SETTLEMENT, SECONDS_BETWEEN_SETTLEMENTS, SettledLimit
from authcenter.settings.rate import Rate
from authcenter.stores.memory.shared import MemoryRateCounters
from authcenter.stores.ports.shared import RateCounters, Taken
from tests.workbench import SetClock

RATE = Rate(100, 60)


class Shared(RateCounters):
    """Counters that a test can take away, and whose use it can count."""

    def __init__(self, clock: SetClock) -> None:
        self.real, self.gone, self.asked = MemoryRateCounters(clock), False, 0

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        self._ask()
        return await self.real.take(key, rate, slots)

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        self._ask()
        await self.real.give_back(key, rate, slots)

    def _ask(self) -> None:
        self.asked += 1
        if self.gone:
            raise SharedStateUnavailable("gone")


class Fleet:
    """Some instances with one limit."""

    def __init__(self, instances: int = 1) -> None:
        self.clock, self.rate = SetClock(), RATE
        self.shared = Shared(self.clock)
        rule = Rule.RATE_LIMITED_CLIENT
        self.limits = [
            SettledLimit("tests", rule, lambda: self.rate, self.clock, self.shared) for _ in range(instances)
        ]

    def taken(self, instance: int = 0, tries: int = 1, key: str = "k") -> int:
        """How many of these tries are let through."""
        return sum(self._take(self.limits[instance], key) for _ in range(tries))

    async def pass_time(self, seconds: float = SECONDS_BETWEEN_SETTLEMENTS) -> None:
        self.clock.at += timedelta(seconds=seconds)
        for limit in self.limits:
            await limit.settle()

    def _take(self, limit: SettledLimit, key: str) -> bool:
        try:
            limit.take(key)
        except RateLimited:
            return False
        return True


async def test_a_refusal_says_how_long() -> None:
    fleet = Fleet()
    assert fleet.taken(tries=100) == 100
    for act in (fleet.limits[0].take, fleet.limits[0].check):
        with pytest.raises(RateLimited) as limited:
            act("k")
        refusal = limited.value
        assert (refusal.status, refusal.rule, refusal.limit) == (429, Rule.RATE_LIMITED_CLIENT, 100)
        assert refusal.retry_after == pytest.approx(0.6)
        assert refusal.reset_after == pytest.approx(60)
    fleet.limits[0].check("another")
    fleet.clock.advance(0.61)
    assert fleet.taken(tries=9) == 1


async def test_no_request_asks_the_shared_counters() -> None:
    fleet = Fleet()
    fleet.taken(tries=90)
    assert fleet.shared.asked == 0
    await fleet.pass_time()
    assert fleet.shared.asked == 1
    await fleet.pass_time()
    assert fleet.shared.asked == 1, "nothing new"


async def test_instances_share_one_limit() -> None:
    fleet = Fleet(2)
    assert fleet.taken(0, 60) == 60
    assert fleet.taken(1, 10) == 10
    await fleet.pass_time(0)
    await fleet.pass_time(0)
    assert fleet.limits[1].quota("k").remaining == 30
    assert fleet.taken(1, 50) == 30
    await fleet.pass_time(0)
    assert fleet.taken(0, 50) == 40, "what it could not know yet"
    await fleet.pass_time(0)
    assert fleet.taken(0, 50) == fleet.taken(1, 50) == 0


@pytest.mark.parametrize("instances", [1, 2, 5])
async def test_over_time_all_instances_together_give_what_one_limit_gives(instances: int) -> None:
    fleet, dice = Fleet(instances), random.Random(instances)
    seconds, through = 300, 0
    for _ in range(int(seconds / SECONDS_BETWEEN_SETTLEMENTS)):
        for instance in range(instances):
            through += fleet.taken(instance, dice.randrange(20))
        await fleet.pass_time()
    allowed = RATE.limit + seconds * RATE.limit / RATE.per_seconds
    # At first each may give the whole limit, before it has heard of the others; that is owed and paid.
    assert allowed * 0.95 <= through <= allowed + (instances - 1) * RATE.limit
    before = through
    for _ in range(int(seconds / SECONDS_BETWEEN_SETTLEMENTS)):
        for instance in range(instances):
            through += fleet.taken(instance, dice.randrange(20))
        await fleet.pass_time()
    assert through - before <= seconds * RATE.limit / RATE.per_seconds + RATE.limit / 10


async def test_while_the_shared_counters_are_gone_each_process_counts_for_itself_and_owes_nothing() -> None:
    fleet = Fleet(2)
    fleet.shared.gone = True
    through = 0
    for _ in range(600):
        through += fleet.taken(0, 5)
        await fleet.pass_time()
    assert through == pytest.approx(100 + 120 * 100 / 60, abs=3)
    fleet.shared.gone = False
    await fleet.pass_time(60)
    assert fleet.taken(0, 200) + fleet.taken(1, 200) == 200
    await fleet.pass_time(60)
    await fleet.pass_time(120)
    assert fleet.limits[0].quota("k").remaining == 100


async def test_what_is_given_back_is_free_everywhere() -> None:
    fleet = Fleet(2)
    fleet.taken(0, 100)
    for _ in range(40):
        fleet.limits[0].give_back("k")
    await fleet.pass_time(0)
    assert fleet.limits[0].quota("k").remaining == 40
    for _ in range(10):
        fleet.limits[0].give_back("k")
    await fleet.pass_time(0)
    fleet.taken(1, 1)
    await fleet.pass_time(0)
    assert fleet.limits[1].quota("k").remaining == 49


async def test_another_rate_is_in_force_at_once() -> None:
    fleet = Fleet()
    assert fleet.taken(tries=200) == 100
    fleet.rate = Rate(5, 60)
    assert fleet.taken(tries=200) == 5
    await fleet.pass_time(0)
    fleet.rate = Rate(1000, 60)
    fleet.limits[0].check("k")
    assert fleet.taken(tries=2000) == 1000
    fleet.rate = Rate(1000, 60)
    assert fleet.taken(tries=10) == 0, "the same rate written again"


async def test_a_settlement_asks_for_the_busiest_keys_first_and_for_a_bounded_number() -> None:
    fleet = Fleet()
    for number in range(1000):
        fleet.taken(key=f"k{number}")
    fleet.taken(tries=5, key="busy")
    await fleet.pass_time()
    assert fleet.shared.asked == MOST_KEYS_A_SETTLEMENT
    assert not (await fleet.shared.real.take("tests:100/minute:busy", RATE, 96)).allowed
    for _ in range(10):
        await fleet.pass_time()
    assert fleet.shared.asked == 1001


async def test_keys_of_strangers_do_not_pile_up() -> None:
    fleet = Fleet()
    for number in range(50_000):
        fleet.taken(key=f"k{number}")
    for _ in range(200):
        await fleet.pass_time()
    assert fleet.shared.asked < 20_000
