"""Failed logins: a slot before the hash, given back on success."""

import asyncio

import pytest

from authcenter.core.derived import MacKeys
from authcenter.core.errors import (
    OAuthError,
    Overloaded,
    RateLimited,
    SharedStateUnavailable,
    StoreUnavailable,
    invalid_grant,
)
from authcenter.core.rules import Rule
from authcenter.limits.logins import LoginLimits
from authcenter.limits.turns import MOST_WAITING
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.settings.rate import Rate
from authcenter.stores.fallback.shared import FallbackRateCounters
from authcenter.stores.memory.shared import MemoryRateCounters
from authcenter.stores.ports.shared import RateCounters, Taken
from tests.workbench import SetClock

IP, OTHER_IP = "192.0.2.1", "198.51.100.1"


class Gone(RateCounters):
    """Counters that do not answer."""

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        raise SharedStateUnavailable("gone")

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        raise SharedStateUnavailable("gone")


class Leaving(MemoryRateCounters):
    """Counters that are gone when something comes back."""

    async def give_back(self, key: str, rate: Rate, slots: int = 1) -> None:
        raise StoreUnavailable("gone")


class Door:
    """Where logins are tried."""

    def __init__(self, counters: RateCounters | None = None) -> None:
        self.clock = SetClock()
        self.policy = RateLimitPolicy()
        self.inside = self.most_inside = 0
        macs = MacKeys.derive([b"r" * 32], "login name")
        self.limits = LoginLimits(lambda: self.policy, macs, counters or MemoryRateCounters(self.clock))

    async def knock(
        self, login: str = "alice", address: str = IP, fails: Exception | None = None, pause: float = 0
    ) -> Rule | None:
        """Try once; the rule of the limit that kept it from being tried, or None."""
        try:
            async with self.limits.attempt(address, login):
                self.inside += 1
                self.most_inside = max(self.most_inside, self.inside)
                await asyncio.sleep(pause)
                self.inside -= 1
                if fails:
                    raise fails
        except RateLimited as limited:
            return limited.rule
        except Overloaded as overload:
            return None if overload is fails else overload.rule
        except (OAuthError, StoreUnavailable):
            return None
        return None

    async def fail(self, times: int, login: str = "alice", address: str = IP) -> int:
        """How many of so many failing logins were tried."""
        wrong = invalid_grant(Rule.USER_PASSWORD_WRONG, "x")
        told = [await self.knock(login, address, wrong) for _ in range(times)]
        return told.count(None)


async def test_an_account_is_guarded_whatever_the_address() -> None:
    door = Door()
    assert await door.fail(5, address=IP) + await door.fail(9, address=OTHER_IP) == 10
    assert await door.knock(address="203.0.113.9") is Rule.RATE_LIMITED_ACCOUNT
    assert await door.knock("bob", "203.0.113.9") is None


async def test_an_address_is_held_whatever_the_account() -> None:
    door = Door()
    assert sum([await door.fail(1, f"user{number}") for number in range(20)]) == 10
    assert await door.knock("nobody") is Rule.RATE_LIMITED_ADDRESS
    assert await door.knock("nobody", OTHER_IP) is None


async def test_who_is_shut_out_by_the_address_takes_nothing_from_accounts() -> None:
    door = Door()
    await door.fail(10, "mallory")
    await door.fail(100, "alice")
    assert await door.fail(20, "alice", OTHER_IP) == 10


async def test_a_full_account_takes_nothing_from_the_address() -> None:
    door = Door()
    await door.fail(10, "alice", OTHER_IP)
    assert await door.fail(50, "alice", IP) == 0
    assert await door.fail(20, "bob", IP) == 10


async def test_an_ipv6_network_is_one_address() -> None:
    door = Door()
    for number in range(10):
        await door.fail(1, f"user{number}", f"2001:db8::{number:x}")
    assert await door.knock("z", "2001:db8::ffff") is Rule.RATE_LIMITED_ADDRESS
    assert await door.knock("z", "2001:db8:0:1::1") is None


@pytest.mark.parametrize("spelling", ["ALICE", " alice ", "\uff41lice", "Alice"])
async def test_an_account_is_one_however_its_name_is_written(spelling: str) -> None:
    door = Door()
    await door.fail(10)
    assert await door.knock(spelling, OTHER_IP) is Rule.RATE_LIMITED_ACCOUNT


@pytest.mark.parametrize("login", ["", "\0", "x" * 70_000, "\ud800"])
async def test_what_is_no_name_is_counted_too(login: str) -> None:
    door = Door()
    assert await door.fail(20, login) == 10


async def test_a_success_gives_its_slots_back() -> None:
    door = Door()
    for _ in range(100):
        assert await door.knock() is None
    assert await door.fail(20) == 10


@pytest.mark.parametrize("outage", [Overloaded("full"), StoreUnavailable("gone")])
async def test_what_could_not_be_tried_is_no_failure(outage: Exception) -> None:
    door = Door()
    for _ in range(50):
        await door.knock(fails=outage)
    assert await door.fail(20) == 10


async def test_who_breaks_off_has_had_his_guess() -> None:
    door = Door()
    for _ in range(10):
        guess = asyncio.create_task(door.knock(pause=60))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        guess.cancel()
        await asyncio.gather(guess, return_exceptions=True)
    assert await door.knock(address=OTHER_IP) is Rule.RATE_LIMITED_ACCOUNT


async def test_never_more_inside_than_slots_are_free() -> None:
    door = Door()
    wrong = invalid_grant(Rule.USER_PASSWORD_WRONG, "x")
    told = await asyncio.gather(*(door.knock(fails=wrong, pause=0.001) for _ in range(1000)))
    assert door.most_inside == told.count(None) == 10
    assert told.count(Rule.RATE_LIMITED_ADDRESS) == MOST_WAITING
    assert told.count(Rule.PASSWORD_POOL_FULL) == 1000 - 10 - MOST_WAITING
    assert await door.knock() is Rule.RATE_LIMITED_ADDRESS


async def test_who_finds_others_inside_waits_for_them_and_is_not_taken_for_an_attack() -> None:
    door = Door()
    told = await asyncio.gather(*(door.knock(pause=0.001) for _ in range(10 + MOST_WAITING)))
    assert told == [None] * (10 + MOST_WAITING)
    assert door.most_inside == 10


async def test_of_those_who_wait_as_many_are_let_in_as_slots_come_back() -> None:
    door = Door()
    wrong = invalid_grant(Rule.USER_PASSWORD_WRONG, "x")
    tries = [door.knock(fails=wrong if number % 2 else None, pause=0.001) for number in range(40)]
    told = await asyncio.gather(*tries)
    assert door.most_inside == 10
    assert sum(rule is None for rule in told[1::2]) == 10, "wrong ones that were tried"
    assert await door.knock() is Rule.RATE_LIMITED_ADDRESS


async def test_who_gives_up_waiting_leaves_the_others_their_turn() -> None:
    door = Door()
    tries = [asyncio.create_task(door.knock(pause=0.01)) for _ in range(30)]
    await asyncio.sleep(0.001)
    for each in tries[10:20]:
        each.cancel()
    told = await asyncio.gather(*tries, return_exceptions=True)
    assert told[:10] + told[20:] == [None] * 20
    assert await door.knock() is None


async def test_slots_come_free_one_by_one_so_that_nobody_is_locked_out_for_ever() -> None:
    door = Door()
    await door.fail(10)
    door.clock.advance(361)
    assert await door.fail(5) == 1
    door.clock.advance(3601)
    assert await door.fail(20) == 10


async def test_another_policy_is_in_force_at_once() -> None:
    door = Door()
    await door.fail(10)
    generous = Rate(100, 3600)
    door.policy = RateLimitPolicy(login_failures_per_ip=generous, login_failures_per_account=generous)
    assert await door.fail(200) == 100


async def test_others_count_while_the_first_counters_are_gone() -> None:
    assert await Door(FallbackRateCounters(Gone(), MemoryRateCounters(SetClock()))).fail(50) == 10


async def test_without_counters_nobody_can_tell() -> None:
    with pytest.raises(SharedStateUnavailable):
        await Door(Gone()).knock()


async def test_a_slot_that_cannot_be_given_back_refuses_nobody() -> None:
    assert await Door(Leaving(SetClock())).knock() is None


async def test_the_counters_name_nobody() -> None:
    door = Door(MemoryRateCounters(SetClock()))
    await door.fail(10, "a password typed as name")
    with pytest.raises(RateLimited) as limited:
        async with door.limits.attempt(OTHER_IP, "a password typed as name"):
            raise AssertionError
    assert "typed" not in limited.value.hint
