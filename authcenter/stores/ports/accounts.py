"""Users at rest."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.user import User


@dataclass(frozen=True, slots=True)
class UserCredentials:
    """A user and the hash of the password: read together, from the record, never from a cache."""

    user: User
    password_hash: str = field(repr=False)


class UserLookup(Protocol):
    """What the hot path asks."""

    async def find(self, subject: str, /) -> User | None: ...


class UserStore(UserLookup, Protocol):
    """Users, unique by normalised name and by normalised address."""

    async def find_credentials(self, login: str) -> UserCredentials | None:
        """By user name, else by address; both as ``core.user.name_key`` normalises them."""
        ...

    async def list_users(self) -> Sequence[User]: ...

    async def search(self, begins: str, *, after: str, most: int) -> Sequence[User]:
        """Users whose name or address (as ``core.user.name_key`` has them) or subject begins with ``begins``.

        In the order of their names' keys, those after ``after``, at most ``most``; nobody whose account was deleted.
        """
        ...

    async def add(self, user: User, password_hash: str, consequences: Consequences = NO_CONSEQUENCES) -> None:
        """Raises ``Conflict`` where name or address is taken."""
        ...

    async def replace(
        self, user: User, consequences: Consequences = NO_CONSEQUENCES, *, password_hash: str | None = None
    ) -> bool:
        """Write over the revision it was made from; False where that is no longer the newest."""
        ...

    async def upgrade_password_hash(self, subject: str, old: str, new: str) -> bool:
        """Swap one hash of the same password for a better one; False where ``old`` is gone."""
        ...
