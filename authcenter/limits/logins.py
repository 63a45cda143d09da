"""Failed logins, by address and by account: a slot is taken before the password is hashed."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from types import TracebackType

from authcenter.core.derived import MacKeys
from authcenter.core.errors import RateLimited, Unavailable
from authcenter.core.rules import Rule
from authcenter.core.user import name_key
from authcenter.limits.address import network_of
from authcenter.limits.turns import Turns
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters

_LONGEST_LOGIN = 1024


@dataclass(frozen=True, slots=True)
class Standing:
    """How many have failed for a name, or in a browser, when another try begins.

    Attributes:
        failures: Before this one; those that are under way here do not count, for they may succeed.
        last: Whether there is no further one if this fails.
    """

    failures: int
    last: bool


@dataclass(frozen=True, slots=True)
class _Slot:
    """A slot that was taken. It goes back unless what it was taken for was refused.

    Who breaks off while the hash runs keeps it taken: the guess was made.
    """

    turns: Turns
    counters: RateCounters
    key: str
    rate: Rate
    standing: Standing

    async def __aenter__(self) -> Standing:
        self.turns.enter(self.key)
        return self.standing

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None or issubclass(kind, (Unavailable, RateLimited)):
                # Counters that have gone away meanwhile keep a slot that lapses by itself: no reason to refuse a login.
                with suppress(Unavailable):
                    await self.counters.give_back(self.key, self.rate)
        finally:
            self.turns.leave(self.key)


class LoginLimits:
    """How many logins may fail, by address and by account.

    The account is a keyed hash of the name that was typed, folded as names are compared: unknown names are counted like
    known ones, and the counters name nobody. Slots come free one by one, the tenth part of an hour for 10/hour, so that
    nobody is locked out for ever; nor does anybody need to unlock an account. A browser that signed this person in
    before is counted by itself: no stranger shuts it out.
    """

    def __init__(
        self,
        policy: Callable[[], RateLimitPolicy],
        macs: MacKeys,
        counters: RateCounters,
        name: str = "login",
    ) -> None:
        """``name`` begins the shared keys."""
        self._name, self._policy, self._macs, self._counters, self._turns = name, policy, macs, counters, Turns()

    @asynccontextmanager
    async def attempt(self, address: str, login: str, device: str | None = None) -> AsyncIterator[Standing]:
        """Try a password inside: ``OAuthError`` raised there is a failure and keeps the slots, anything else returns
        them. With n slots free, at most n attempts are inside at once, over all instances.

        Args:
            device: A browser that is known to be this account's: counted instead of address and account, by the
                account's rate.

        Raises:
            RateLimited: No slot is free.
            Unavailable: The counters do not answer, or too many wait for those inside.
        """
        policy = self._policy()
        if device is not None:
            rate = policy.login_failures_per_account
            by_device = await self._slot(f"{self._name}_device", device, rate, Rule.RATE_LIMITED_ACCOUNT)
            async with by_device as standing:
                yield standing
            return
        network, name = network_of(address), name_key(login[:_LONGEST_LOGIN]).encode(errors="backslashreplace")
        # The address first: whoever is shut out there cannot use up an account's slots either.
        by_address = await self._slot(
            f"{self._name}_ip", network, policy.login_failures_per_ip, Rule.RATE_LIMITED_ADDRESS
        )
        async with by_address:
            account, rate = self._macs.make(name), policy.login_failures_per_account
            by_account = await self._slot(f"{self._name}_account", account, rate, Rule.RATE_LIMITED_ACCOUNT)
            async with by_account as standing:
                yield standing

    async def _slot(self, name: str, key: str, rate: Rate, rule: Rule) -> _Slot:
        shared_key = f"{name}:{rate}:{key}"
        while True:
            others = self._turns.inside(shared_key)
            taken = await self._counters.take(shared_key, rate)
            if taken.allowed:
                failures = rate.limit - taken.remaining - 1 - self._turns.count(shared_key)
                standing = Standing(max(0, failures), last=not taken.remaining)
                return _Slot(self._turns, self._counters, shared_key, rate, standing)
            if not others and not self._turns.inside(shared_key):
                raise RateLimited(
                    rule,
                    f"{name} {key}: more than {rate}",
                    limit=rate.limit,
                    retry_after=taken.retry_after,
                    reset_after=taken.reset_after,
                )
            await self._turns.wait(shared_key)
