"""Passkeys at rest. Whatever depends on what else a person has is one transaction."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.passkey import Added, Passkey


class PasskeyStore(Protocol):
    """The record of passkeys, unique by credential id."""

    async def find(self, credential_id: bytes) -> Passkey | None: ...

    async def list_of(self, subject: str) -> Sequence[Passkey]:
        """By when they were made, the oldest first."""
        ...

    async def add(self, passkey: Passkey, codes: Sequence[str], at_most: int, consequences: Consequences) -> Added:
        """Keep a passkey, and the MACs of new recovery codes where its owner has none left.

        Not done where the owner is gone or disabled, or has ``at_most`` passkeys already.

        Raises:
            Conflict: There is one with that credential id, this person's or another's.
        """
        ...

    async def use(self, passkey: Passkey, at: datetime) -> bool:
        """Note that it was used now, with what it told: ``sign_count`` and ``backed_up``.

        False, and nothing is noted, where it is gone, or has counted as far or farther; never where it does not count.
        """
        ...

    async def remove(
        self, passkey: Passkey, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        """Take it away, and the recovery codes where no other factor is left.

        Args:
            among: The user must keep another passkey, or an identity of one of these providers, however many are
                removed at once; None: need not.

        Returns:
            Whether it was there and could go.
        """
        ...
