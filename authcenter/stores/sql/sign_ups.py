"""Sign-ups under way, in SQL."""

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.sign_up import SignUpLink
from authcenter.core.user import User, name_key
from authcenter.stores.ports.sign_ups import SignUpStore
from authcenter.stores.sql.account_tables import address_verifications
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import insert_user

_PURPOSE = "sign_up"
_OURS = address_verifications.c.purpose == _PURPOSE


class SqlSignUpStore(SignUpStore):
    """Links in the table ``address_verifications``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, link: SignUpLink, consequences: Consequences) -> bool:
        row = asdict(link) | {"purpose": _PURPOSE, "email_key": name_key(link.email)}

        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(address_verifications).values(row))
            return True

        try:
            return await self._transactions.commit(write, consequences)
        except Conflict:
            return False

    async def find(self, digest: Digest) -> SignUpLink | None:
        one = select(address_verifications).where(address_verifications.c.digest == digest, _OURS)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
        if row is None:
            return None
        return SignUpLink(Digest(row.digest), row.email, row.created_at, row.expires_at, row.spent_at)

    async def open(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        link = address_verifications.c
        alive = _OURS, link.email_key == name_key(user.email), link.spent_at.is_(None)

        async def write(connection: AsyncConnection) -> bool:
            # All of the address in one order, so that of two that are used at once neither waits for the other's link.
            held = select(link.digest, link.expires_at).where(*alive).order_by(link.digest).with_for_update()
            expires_at = {row.digest: row.expires_at for row in await connection.execute(held)}
            if digest not in expires_at or expires_at[digest] <= at:
                return False
            await connection.execute(update(address_verifications).where(*alive).values(spent_at=at))
            await insert_user(connection, user, password_hash)
            return True

        return await self._transactions.commit(write, consequences)
