"""Unused clients in SQL."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, select

from authcenter.stores.ports.unused_clients import TRACED_GRANTS, UnusedClients
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sign_in_tables import consents
from authcenter.stores.sql.tables import clients, families

_MOST_READ = 10_000


class SqlUnusedClients(UnusedClients):
    """Looks into the tables ``clients``, ``consents`` and ``token_families``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def list_unused(self, before: datetime, most: int) -> Sequence[str]:
        row = clients.c
        query = (
            select(row.client_id, row.grants)
            .where(
                row.updated_at < before,
                row.disabled_at.is_(None),
                row.first_party.is_(False),
                row.relying_party["openly"].as_boolean().is_(True),
                ~exists().where(consents.c.client_id == row.client_id),
                ~exists().where(families.c.client_id == row.client_id),
            )
            .order_by(row.updated_at, row.client_id)
            .limit(_MOST_READ)
        )
        async with self._database.reading() as connection:
            found = (await connection.execute(query)).all()
        return [one.client_id for one in found if TRACED_GRANTS.issuperset(one.grants)][:most]
