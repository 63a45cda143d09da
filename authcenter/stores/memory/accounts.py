"""Users in memory."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Conflict
from authcenter.core.user import User, name_key
from authcenter.stores.memory.cuts import later_cut
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.accounts import UserCredentials, UserStore


class MemoryUserStore(UserStore):
    """Users of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, subject: str) -> User | None:
        held = self._record.tables.users.get(subject)
        return held.user if held else None

    async def find_credentials(self, login: str) -> UserCredentials | None:
        key, users = name_key(login), self._record.tables.users.values()
        named = (held for held in users if name_key(held.user.username) == key)
        addressed = (held for held in users if name_key(held.user.email) == key)
        return next(named, None) or next(addressed, None)

    async def list_users(self) -> Sequence[User]:
        users = [held.user for held in self._record.tables.users.values()]
        return sorted(users, key=lambda user: name_key(user.username))

    async def search(self, begins: str, *, after: str, most: int) -> Sequence[User]:
        key = name_key(begins)

        def found(user: User) -> bool:
            named = name_key(user.username).startswith(key) or name_key(user.email).startswith(key)
            return named or user.subject.startswith(begins)

        later = (user for user in await self.list_users() if name_key(user.username) > after)
        return [user for user in later if user.erased_at is None and found(user)][:most]

    async def add(self, user: User, password_hash: str, consequences: Consequences = NO_CONSEQUENCES) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            insert_user(tables, user, password_hash, at)
            return True

        self._record.commit(write, consequences)

    async def replace(
        self, user: User, consequences: Consequences = NO_CONSEQUENCES, *, password_hash: str | None = None
    ) -> bool:
        return self._record.commit(lambda tables, at: replace_user(tables, user, at, password_hash), consequences)

    async def upgrade_password_hash(self, subject: str, old: str, new: str) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.users.get(subject)
            if held is None or held.password_hash != old:
                return False
            tables.users[subject] = UserCredentials(held.user, new)
            return True

        return self._record.commit(write)


def insert_user(tables: Tables, user: User, password_hash: str, at: datetime) -> None:
    """Add a user in this write. Raises ``Conflict``."""
    if user.subject in tables.users:
        raise Conflict(f"user {user.subject}")
    _refuse_taken(tables, user)
    tables.users[user.subject] = UserCredentials(user, password_hash)
    tables.note_change("user", user.subject, at)


def replace_user(tables: Tables, user: User, at: datetime, password_hash: str | None = None) -> bool:
    """``UserStore.replace`` as part of a write. With a password the links that would set another one end."""
    held = tables.users.get(user.subject)
    if held is None or held.user.revision != user.revision:
        return False
    _refuse_taken(tables, user)
    new = dataclasses.replace(user, revision=user.revision + 1, cut_at=later_cut(held.user.cut_at, user.cut_at))
    tables.users[user.subject] = UserCredentials(new, held.password_hash if password_hash is None else password_hash)
    if password_hash is not None:
        end_reset_links(tables, user.subject, at)
    tables.note_change("user", user.subject, at)
    return True


def is_enabled(tables: Tables, subject: str) -> bool:
    held = tables.users.get(subject)
    return held is not None and held.user.disabled_at is None


def end_reset_links(tables: Tables, subject: str, at: datetime) -> None:
    """Nobody sets this user's password by a link sent before."""
    for digest, link in [*tables.reset_links.items()]:
        if link.subject == subject and link.spent_at is None:
            tables.reset_links[digest] = dataclasses.replace(link, spent_at=at)


def _refuse_taken(tables: Tables, user: User) -> None:
    others = [held.user for held in tables.users.values() if held.user.subject != user.subject]
    if name_key(user.username) in {name_key(other.username) for other in others}:
        raise Conflict("user name")
    if name_key(user.email) in {name_key(other.email) for other in others}:
        raise Conflict("address")
