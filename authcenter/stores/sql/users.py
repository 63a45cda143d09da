"""Users in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Row, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.ids import Subject
from authcenter.core.user import User, name_key
from authcenter.stores.ports.accounts import UserCredentials, UserStore
from authcenter.stores.sql.account_tables import password_reset_tokens
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.cuts import later_mark
from authcenter.stores.sql.database import Database, database_clock
from authcenter.stores.sql.tables import users
from authcenter.stores.sql.transactions import Transactions


class SqlUserStore(UserStore):
    """Users in the table ``users``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, subject: str) -> User | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(users).where(users.c.subject == subject))).first()
            return _user(row) if row else None

    async def find_credentials(self, login: str) -> UserCredentials | None:
        key = name_key(login)
        named = select(users).where(or_(users.c.username_key == key, users.c.email_key == key))
        async with self._database.reading() as connection:
            rows = (await connection.execute(named)).all()
        # Accounts.create sees to it that nobody's name is another's address; were it so, the name would count.
        for row in sorted(rows, key=lambda row: row.username_key != key):
            return UserCredentials(_user(row), row.password_hash)
        return None

    async def list_users(self) -> Sequence[User]:
        async with self._database.reading() as connection:
            return [_user(row) for row in await connection.execute(select(users).order_by(users.c.username_key))]

    async def search(self, begins: str, *, after: str, most: int) -> Sequence[User]:
        key, user = name_key(begins), users.c
        found = select(users).where(
            user.erased_at.is_(None),
            user.username_key > after,
            or_(
                _begins(user.username_key, key),
                _begins(user.email_key, key),
                _begins(user.subject, begins),
            ),
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(found.order_by(user.username_key).limit(most))
            return [_user(row) for row in rows]

    async def add(self, user: User, password_hash: str, consequences: Consequences = NO_CONSEQUENCES) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await insert_user(connection, user, password_hash)
            return True

        await self._transactions.commit(write, consequences)

    async def replace(
        self, user: User, consequences: Consequences = NO_CONSEQUENCES, *, password_hash: str | None = None
    ) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            return await replace_user(connection, user, password_hash)

        return await self._transactions.commit(write, consequences)

    async def upgrade_password_hash(self, subject: str, old: str, new: str) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            unchanged = users.c.subject == subject, users.c.password_hash == old
            return (await connection.execute(update(users).where(*unchanged).values(password_hash=new))).rowcount == 1

        return await self._transactions.commit(write)


async def insert_user(connection: AsyncConnection, user: User, password_hash: str) -> None:
    """Add a user in this transaction."""
    await connection.execute(insert(users).values(_row(user) | {"password_hash": password_hash}))
    await note_change(connection, "user", user.subject)


async def replace_user(connection: AsyncConnection, user: User, password_hash: str | None = None) -> bool:
    """``UserStore.replace`` as part of this transaction. With a password the links that would set another one end."""
    unchanged = users.c.subject == user.subject, users.c.revision == user.revision
    new = _row(user) | {"revision": user.revision + 1, "cut_at": later_mark(users.c.cut_at, user.cut_at)}
    if password_hash is not None:
        new["password_hash"] = password_hash
    if (await connection.execute(update(users).where(*unchanged).values(new))).rowcount == 0:
        return False
    if password_hash is not None:
        await end_reset_links(connection, user.subject)
    await note_change(connection, "user", user.subject)
    return True


async def lock_enabled(connection: AsyncConnection, subject: str) -> bool:
    """Whether there is such a user, not disabled; nobody else writes it until this transaction ends."""
    enabled = users.c.subject == subject, users.c.disabled_at.is_(None)
    return (await connection.execute(select(users.c.subject).where(*enabled).with_for_update())).first() is not None


async def end_reset_links(connection: AsyncConnection, subject: str) -> None:
    """Nobody sets this user's password by a link sent before."""
    link = password_reset_tokens.c
    unspent = update(password_reset_tokens).where(link.subject == subject, link.spent_at.is_(None))
    await connection.execute(unspent.values(spent_at=database_clock()))


def _begins(column: Column[str], text: str) -> ColumnElement[bool]:
    # Not LIKE: SQLite's makes no difference between cases, and subjects do.
    return func.substr(column, 1, len(text)) == text


def _row(user: User) -> dict[str, Any]:
    return {
        "subject": user.subject,
        "username": user.username,
        "username_key": name_key(user.username),
        "email": user.email,
        "email_key": name_key(user.email),
        "email_verified": user.email_verified,
        "roles": sorted(user.roles),
        "created_at": user.created_at,
        "updated_at": user.updated_at,
        "disabled_at": user.disabled_at,
        "cut_at": user.cut_at,
        "revision": user.revision,
        "claims": dict(user.claims),
        "reset_required_at": user.reset_required_at,
        "erased_at": user.erased_at,
    }


def _user(row: Row[Any]) -> User:
    return User(
        subject=Subject(row.subject),
        username=row.username,
        email=row.email,
        email_verified=row.email_verified,
        roles=frozenset(row.roles),
        created_at=row.created_at,
        updated_at=row.updated_at,
        disabled_at=row.disabled_at,
        cut_at=row.cut_at,
        revision=row.revision,
        claims=row.claims,
        reset_required_at=row.reset_required_at,
        erased_at=row.erased_at,
    )
