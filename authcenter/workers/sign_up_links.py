"""Sends the links to sign up that were asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.sign_up_links import SignUpLinks
from authcenter.workers.errands import Pointless


@dataclass(frozen=True, slots=True)
class SignUpErrand:
    """Finds out whether the address has an account, and leaves the mail that says what comes next."""

    links: SignUpLinks

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Leave the mail in the outbox.

        Raises:
            Pointless: It was left before, or nobody can tell any more to whom.
            StoreUnavailable: Cannot tell.
        """
        if why := await self.links.send(payload):
            raise Pointless(why)
