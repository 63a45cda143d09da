"""Sends the links to set a password that were asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.password_reset import ResetLinks
from authcenter.workers.errands import Pointless


@dataclass(frozen=True, slots=True)
class ResetLinkErrand:
    """Finds out whose address was typed; of nobody's nothing is left but that the job is done."""

    links: ResetLinks

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Leave the mail in the outbox.

        Raises:
            Pointless: Nobody is to get one.
            StoreUnavailable: Cannot tell.
        """
        if why := await self.links.send(payload):
            raise Pointless(why)
