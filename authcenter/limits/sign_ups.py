"""How often accounts may be asked for from an address, and how often a name may be chosen with one link."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from authcenter.core.digest import Digest
from authcenter.core.errors import RateLimited
from authcenter.core.rules import Rule
from authcenter.limits.address import network_of
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.settings.rate import Rate
from authcenter.stores.ports.shared import RateCounters


@dataclass(frozen=True, slots=True)
class SignUpLimit:
    """Counts over all instances, known addresses like unknown ones.

    Attributes:
        counters: Those that go on in the record while Redis is gone.
    """

    policy: Callable[[], RateLimitPolicy]
    counters: RateCounters

    # Enough for somebody who looks for a free name, too few to try which names there are.
    NAMES_A_LINK: ClassVar[Rate] = Rate(20, 3600)
    JUDGEMENTS_A_LINK: ClassVar[Rate] = Rate(60, 3600)

    async def ask(self, ip: str) -> None:
        """Take one of the accounts that may be asked for from this address (``rate_limits.signup_per_ip``).

        Raises:
            RateLimited: There is none left.
            Unavailable: The counters do not answer.
        """
        await self._take("signup_ip", network_of(ip), self.policy().signup_per_ip)

    async def choose(self, link: Digest) -> None:
        """Try to open the account of this link, by which it comes out whether a name is taken. Raises as ``ask``."""
        await self._take("signup_link", link.hex(), self.NAMES_A_LINK)

    async def judge(self, link: Digest) -> None:
        """Have a password judged. It takes a place among those that hash passwords. Raises as ``ask``."""
        await self._take("signup_judge", link.hex(), self.JUDGEMENTS_A_LINK)

    async def _take(self, name: str, key: str, rate: Rate) -> None:
        taken = await self.counters.take(f"{name}:{rate}:{key}", rate)
        if not taken.allowed:
            hint = f"{name} {key}: more than {rate}"
            raise RateLimited(
                Rule.RATE_LIMITED_SIGN_UP,
                hint,
                limit=rate.limit,
                retry_after=taken.retry_after,
                reset_after=taken.reset_after,
            )
