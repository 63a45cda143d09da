"""Consents in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.consent import Consent
from authcenter.core.cut import Consequences
from authcenter.core.ids import ClientId, Subject
from authcenter.core.scope import Scope
from authcenter.stores.ports.sessions import ConsentStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import consents
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert

_KEY = ("subject", "client_id")


class SqlConsentStore(ConsentStore):
    """Consents in the table ``consents``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, subject: str, client_id: str) -> Consent | None:
        one = select(consents).where(consents.c.subject == subject, consents.c.client_id == client_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
            return _consent(row) if row else None

    async def list_of(self, subject: str) -> Sequence[Consent]:
        held = select(consents).where(consents.c.subject == subject).order_by(consents.c.client_id)
        async with self._database.reading() as connection:
            return [_consent(row) for row in await connection.execute(held)]

    async def put(self, consent: Consent, consequences: Consequences) -> None:
        row = _row(consent)
        changed = {name: value for name, value in row.items() if name not in {*_KEY, "granted_at"}}

        async def write(connection: AsyncConnection) -> bool:
            await upsert(connection, consents, row, _KEY, changed)
            return True

        await self._transactions.commit(write, consequences)

    async def remove(self, subject: str, client_id: str, consequences: Consequences) -> bool:
        one = delete(consents).where(consents.c.subject == subject, consents.c.client_id == client_id)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(one)).rowcount == 1

        return await self._transactions.commit(write, consequences)


def _row(consent: Consent) -> dict[str, Any]:
    return {
        "subject": consent.subject,
        "client_id": consent.client_id,
        "scope": str(consent.scope),
        "claims": sorted(consent.claims),
        "resources": sorted(consent.resources),
        "granted_at": consent.granted_at,
        "updated_at": consent.updated_at,
    }


def _consent(row: Row[Any]) -> Consent:
    return Consent(
        subject=Subject(row.subject),
        client_id=ClientId(row.client_id),
        scope=Scope.parse(row.scope),
        claims=frozenset(row.claims),
        resources=frozenset(row.resources),
        granted_at=row.granted_at,
        updated_at=row.updated_at,
    )
