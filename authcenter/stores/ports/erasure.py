"""Persons at rest: all that is kept of one beside the account's own row, and its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.user import User
from authcenter.stores.ports.audit import EmptiedRow


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that a person has here, as they may be told of it: without its secret.

    Attributes:
        kind: ``grant``, ``identity``, ``totp``, ``recovery_codes`` or ``passkey``.
        name: What they know it by: the client, the provider, the passkey's name.
        about: What else they may know, by name: JSON values.
    """

    kind: str
    name: str
    created_at: datetime
    used_at: datetime | None
    about: tuple[tuple[str, object], ...] = ()


class PersonStore(Protocol):
    """What hangs on one person."""

    async def holdings(self, subject: str) -> Sequence[Holding]:
        """What clients were granted, identities elsewhere, second factors and passkeys, by kind and age."""
        ...

    async def erase(self, user: User, audit: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        """Take everything from the person, or nothing.

        Writes ``user``, which names nobody any more, over the revision it was made from, with no password; deletes
        identities, second factors, passkeys, consents and one-time links, those of a sign-up by the address included;
        leaves sessions without address and user agent; empties audit rows. The cuts among the consequences end
        sessions and families. Pairwise subjects stay: clients are yet to be told by them that the sessions have ended.

        Returns:
            False: the user or a row was written meanwhile; nothing was kept.

        Raises:
            StoreUnavailable: Nothing was kept, or it is unknown.
        """
        ...
