"""Mails that strangers ask for: so many to an address, whoever asks, and whether or not the address is known."""

from collections.abc import Callable
from dataclasses import dataclass

from authcenter.core.derived import MacKeys
from authcenter.core.user import name_key
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.stores.ports.shared import RateCounters

_LONGEST_ADDRESS = 1024


@dataclass(frozen=True, slots=True)
class MailLimit:
    """Keeps a stranger from filling somebody's mailbox (``rate_limits.mail_per_address``).

    The address is counted by a keyed hash of its folded form: the counters name nobody, and an address without an
    account is counted like any other, so that neither answer nor time tells them apart.

    Attributes:
        counters: Shared by all instances; those that go on in the record while Redis is gone.
    """

    policy: Callable[[], RateLimitPolicy]
    macs: MacKeys
    counters: RateCounters

    async def allowed(self, address: str) -> bool:
        """Take one of the mails that ``address`` may be sent. False: leave no letter, and answer as if there were one.

        Raises:
            Unavailable: The counters do not answer.
        """
        rate = self.policy().mail_per_address
        folded = name_key(address[:_LONGEST_ADDRESS]).encode(errors="backslashreplace")
        return (await self.counters.take(f"mail_address:{rate}:{self.macs.make(folded)}", rate)).allowed
