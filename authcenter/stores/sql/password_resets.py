"""Links to set a password, in SQL."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.account_links import ResetLink
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.ids import Subject
from authcenter.core.user import User
from authcenter.stores.ports.password_resets import PasswordResetStore
from authcenter.stores.sql.account_tables import password_reset_tokens
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import end_reset_links, lock_enabled, replace_user


class SqlPasswordResetStore(PasswordResetStore):
    """Links in the table ``password_reset_tokens``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, link: ResetLink, consequences: Consequences) -> bool:
        there = select(password_reset_tokens.c.subject).where(password_reset_tokens.c.digest == link.digest)

        async def write(connection: AsyncConnection) -> bool:
            # The user first, as whoever redeems a link does: of two that come at once the later ends the earlier.
            if not await lock_enabled(connection, link.subject) or (await connection.execute(there)).first():
                return False
            await end_reset_links(connection, link.subject)
            await connection.execute(insert(password_reset_tokens).values(asdict(link)))
            return True

        return await self._transactions.commit(write, consequences)

    async def find(self, digest: Digest) -> ResetLink | None:
        one = select(password_reset_tokens).where(password_reset_tokens.c.digest == digest)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
        if row is None:
            return None
        return ResetLink(Digest(row.digest), Subject(row.subject), row.created_at, row.expires_at, row.spent_at)

    async def redeem(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        link = password_reset_tokens.c
        unspent = link.digest == digest, link.subject == user.subject, link.spent_at.is_(None)

        async def write(connection: AsyncConnection) -> bool:
            if not await lock_enabled(connection, user.subject):
                return False
            spent = await connection.execute(update(password_reset_tokens).where(*unspent).values(spent_at=at))
            return spent.rowcount == 1 and await replace_user(connection, user, password_hash)

        return await self._transactions.commit(write, consequences)
