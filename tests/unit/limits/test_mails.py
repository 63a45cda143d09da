"""Mails that strangers ask for, by address."""

import pytest

from authcenter.core.derived import MacKeys
from authcenter.core.errors import SharedStateUnavailable, Unavailable
from authcenter.limits.mails import MailCause, MailLimit
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.settings.rate import Rate
from authcenter.stores.memory.shared import MemoryRateCounters
from authcenter.stores.ports.shared import Taken
from tests.workbench import SetClock


class Noting(MemoryRateCounters):
    """Counters that tell under which keys was counted; ``gone``: they do not answer."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__(clock)
        self.keys: list[str] = []
        self.gone = False

    async def take(self, key: str, rate: Rate, slots: int = 1) -> Taken:
        if self.gone:
            raise SharedStateUnavailable("gone")
        self.keys.append(key)
        return await super().take(key, rate, slots)


class Desk:
    """Where mails are asked for."""

    def __init__(self) -> None:
        self.clock, self.policy = SetClock(), RateLimitPolicy()
        self.counters = Noting(self.clock)
        macs = MacKeys.derive([b"r" * 32], "mail address")
        self.limit = MailLimit(lambda: self.policy, macs, self.counters)

    async def ask(self, times: int, address: str = "alice@example.com", cause: MailCause = "reset") -> int:
        """How many of so many were allowed."""
        return [await self.limit.allowed(address, cause) for _ in range(times)].count(True)


async def test_an_address_gets_so_many_mails_and_then_one_at_a_time() -> None:
    desk = Desk()
    assert await desk.ask(8) == 5
    desk.clock.advance(3600 / 5)
    assert await desk.ask(2) == 1
    desk.clock.advance(3600)
    assert await desk.ask(8) == 5


@pytest.mark.parametrize("same", ["Alice@Example.COM", " alice@example.com ", "\uff41lice@example.com"])
async def test_an_address_is_counted_however_it_is_typed(same: str) -> None:
    desk = Desk()
    assert await desk.ask(5) == 5
    assert await desk.ask(1, same) == 0
    assert await desk.ask(1, "bob@example.com") == 1


async def test_each_cause_has_a_count_of_its_own() -> None:
    desk = Desk()
    assert await desk.ask(8, cause="sign_up") == 5
    assert await desk.ask(8, cause="reset") == 5
    assert await desk.ask(8, cause="new_address") == 5


async def test_a_changed_rate_counts_anew() -> None:
    desk = Desk()
    assert await desk.ask(6) == 5
    desk.policy = RateLimitPolicy(mail_per_address=Rate(2, 60))
    assert await desk.ask(3) == 2


@pytest.mark.parametrize("odd", ["", "\ud800@example.com", "x" * 1_000_000])
async def test_whatever_was_typed_can_be_counted(odd: str) -> None:
    assert await Desk().ask(6, odd) == 5


async def test_the_counters_name_nobody() -> None:
    desk = Desk()
    await desk.ask(1)
    assert "alice" not in desk.counters.keys[0]
    assert len(desk.counters.keys[0]) < 120


async def test_without_counters_it_is_not_guessed() -> None:
    desk = Desk()
    desk.counters.gone = True
    with pytest.raises(Unavailable):
        await desk.ask(1)
