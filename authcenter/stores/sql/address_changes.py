"""Links to confirm an account's new address, in SQL."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.account_links import AddressChange
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.ids import Subject
from authcenter.core.user import User, name_key
from authcenter.stores.ports.address_changes import AddressChangeStore
from authcenter.stores.sql.account_tables import address_verifications
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.users import end_reset_links, lock_enabled, replace_user

_PURPOSE = "change"


class SqlAddressChangeStore(AddressChangeStore):
    """Links in the table ``address_verifications``, beside those of other purposes."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, change: AddressChange, consequences: Consequences) -> bool:
        row = {
            "digest": change.digest,
            "purpose": _PURPOSE,
            "email": change.email,
            "email_key": name_key(change.email),
            "subject": change.subject,
            "created_at": change.created_at,
            "expires_at": change.expires_at,
            "spent_at": change.spent_at,
        }
        earlier = update(address_verifications).where(_open_of(change.subject)).values(spent_at=change.created_at)

        async def write(connection: AsyncConnection) -> bool:
            # The user first, as whoever confirms does: of two that come at once the later ends the earlier.
            if not await lock_enabled(connection, change.subject):
                return False
            await connection.execute(earlier)
            await connection.execute(insert(address_verifications).values(row))
            return True

        return await self._transactions.commit(write, consequences)

    async def find(self, digest: Digest) -> AddressChange | None:
        link = address_verifications.c
        one = select(address_verifications).where(link.digest == digest, link.purpose == _PURPOSE)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
        if row is None:
            return None
        subject = Subject(row.subject)
        return AddressChange(Digest(row.digest), subject, row.email, row.created_at, row.expires_at, row.spent_at)

    async def confirm(self, digest: Digest, at: datetime, user: User, consequences: Consequences) -> bool:
        unspent = and_(_open_of(user.subject), address_verifications.c.digest == digest)

        async def write(connection: AsyncConnection) -> bool:
            if not await lock_enabled(connection, user.subject):
                return False
            spent = await connection.execute(update(address_verifications).where(unspent).values(spent_at=at))
            if spent.rowcount != 1 or not await replace_user(connection, user):
                return False
            await end_reset_links(connection, user.subject)
            return True

        return await self._transactions.commit(write, consequences)


def _open_of(subject: str) -> ColumnElement[bool]:
    link = address_verifications.c
    return and_(link.subject == subject, link.purpose == _PURPOSE, link.spent_at.is_(None))
