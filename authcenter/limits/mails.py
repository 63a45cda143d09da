"""Mails that people ask for: so many to an address, whoever asks, and whether or not the address is known; and so many
to addresses that are not yet theirs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from authcenter.core.derived import MacKeys
from authcenter.core.errors import RateLimited
from authcenter.core.ids import Subject
from authcenter.core.rules import Rule
from authcenter.core.user import name_key
from authcenter.settings.policy_sections import RateLimitPolicy
from authcenter.stores.ports.shared import RateCounters

MailCause = Literal["sign_up", "reset", "new_address"]

_LONGEST_ADDRESS = 1024


@dataclass(frozen=True, slots=True)
class MailLimit:
    """Keeps a stranger from filling somebody's mailbox (``rate_limits.mail_per_address``).

    The address is counted by a keyed hash of its folded form: the counters name nobody, and an address without an
    account is counted like any other, so that neither answer nor time tells them apart. Each cause has a count of its
    own: who asks for many mails of one kind keeps nobody from getting another.

    Attributes:
        counters: Shared by all instances; those that go on in the record while Redis is gone.
    """

    policy: Callable[[], RateLimitPolicy]
    macs: MacKeys
    counters: RateCounters

    async def allowed(self, address: str, cause: MailCause) -> bool:
        """Take one of the mails that ``address`` may be sent. False: leave no letter, and answer as if there were one.

        Raises:
            Unavailable: The counters do not answer.
        """
        rate = self.policy().mail_per_address
        folded = name_key(address[:_LONGEST_ADDRESS]).encode(errors="backslashreplace")
        return (await self.counters.take(f"mail_{cause}:{rate}:{self.macs.make(folded)}", rate)).allowed

    async def ask(self, subject: Subject) -> None:
        """Take one of the mails that somebody may have sent to addresses that others may read.

        Raises:
            RateLimited: There is none left.
            Unavailable: The counters do not answer.
        """
        rate = self.policy().mail_per_address
        taken = await self.counters.take(f"mail_person:{rate}:{subject}", rate)
        if not taken.allowed:
            raise RateLimited(
                Rule.RATE_LIMITED_MAIL,
                f"{subject}: more than {rate}",
                limit=rate.limit,
                retry_after=taken.retry_after,
                reset_after=taken.reset_after,
            )
