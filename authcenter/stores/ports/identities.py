"""Identities elsewhere, at rest."""

from collections.abc import Collection, Sequence
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.identity import Identity
from authcenter.core.user import User


class IdentityStore(Protocol):
    """The record of identities, unique by provider and the provider's subject: each signs one user in."""

    async def find(self, provider: str, provider_subject: str) -> Identity | None: ...

    async def list_of(self, subject: str) -> Sequence[Identity]:
        """By when they were linked, the oldest first."""
        ...

    async def open(self, user: User, identity: Identity, consequences: Consequences) -> None:
        """Make an account without a password, and the identity that signs in to it, or neither.

        Raises:
            Conflict: The identity, the name or the address is taken.
        """
        ...

    async def link(self, identity: Identity, consequences: Consequences, *, address: str | None = None) -> bool:
        """Give the user ``identity.subject`` one more way in.

        Args:
            address: The user must have it, and have verified it.

        Returns:
            Whether the user is there, not disabled, and has that address.

        Raises:
            Conflict: The identity is linked, to this user or another.
        """
        ...

    async def used(self, identity: Identity) -> None:
        """Note its ``used_at``, and what the provider tells now."""
        ...

    async def remove(
        self, identity: Identity, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        """Take it away.

        Args:
            among: The user must keep a passkey, or another one of these providers, however many are removed at once;
                None: need not.

        Returns:
            Whether it was there and could go.
        """
        ...
