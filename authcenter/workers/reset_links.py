"""Sends the links to set a password that were asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.accounts.password_reset import ResetLinks
from authcenter.workers.errands import Pointless


@dataclass(frozen=True, slots=True)
class ResetLinkErrand:
    """Finds out whose address was typed. That it is nobody's is no failure, and nothing tells of it."""

    links: ResetLinks

    async def act(self, payload: Mapping[str, Any]) -> None:
        """Leave the mail in the outbox.

        Raises:
            Pointless: It cannot be read any more.
            StoreUnavailable: Cannot tell.
        """
        if not await self.links.send(payload):
            raise Pointless("it is sealed under a key that is gone")
