"""Clients in SQL."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.client import AuthMethod, Client, ClientSecret, Lifetimes, OnOutage, Profile
from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.ids import ClientId
from authcenter.core.relying_party import RelyingParty
from authcenter.core.resource import Resource
from authcenter.core.scope import Scope
from authcenter.stores.ports.clients import ClientStore
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.cuts import later_mark
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.resources import add_missing
from authcenter.stores.sql.tables import clients
from authcenter.stores.sql.transactions import Transactions

_LIFETIMES = ("access", "refresh", "refresh_max", "reuse_grace")


class SqlClientStore(ClientStore):
    """Clients in the table ``clients``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, client_id: str) -> Client | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(clients).where(clients.c.client_id == client_id))).first()
            return _client(row) if row else None

    async def list_clients(self) -> Sequence[Client]:
        async with self._database.reading() as connection:
            return [_client(row) for row in await connection.execute(select(clients).order_by(clients.c.client_id))]

    async def add(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(clients).values(_row(client)))
            await add_missing(connection, resources)
            await note_change(connection, "client", client.client_id)
            return True

        await self._transactions.commit(write, consequences)

    async def replace(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            unchanged = clients.c.client_id == client.client_id, clients.c.revision == client.revision
            new = _row(client) | {
                "revision": client.revision + 1,
                "cut_at": later_mark(clients.c.cut_at, client.cut_at),
            }
            if (await connection.execute(update(clients).where(*unchanged).values(new))).rowcount == 0:
                return False
            await add_missing(connection, resources)
            await note_change(connection, "client", client.client_id)
            return True

        return await self._transactions.commit(write, consequences)

    async def remove(self, client_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            if (await connection.execute(delete(clients).where(clients.c.client_id == client_id))).rowcount == 0:
                return False
            await note_change(connection, "client", client_id)
            return True

        return await self._transactions.commit(write, consequences)


def _row(client: Client) -> dict[str, Any]:
    return {
        "client_id": client.client_id,
        "name": client.name,
        "profile": client.profile,
        "auth_methods": sorted(client.auth_methods),
        "grants": sorted(client.grants),
        "scopes": sorted(client.scopes.values),
        "audiences": list(client.audiences),
        "serves": sorted(client.serves),
        "redirect_uris": list(client.redirect_uris),
        "origins": sorted(client.origins),
        "first_party": client.first_party,
        "lifetimes": {name: _seconds(getattr(client.lifetimes, name)) for name in _LIFETIMES},
        "on_outage": client.on_outage,
        "secrets": [[secret.stored, secret.created_at.isoformat()] for secret in client.secrets],
        "created_at": client.created_at,
        "updated_at": client.updated_at,
        "disabled_at": client.disabled_at,
        "cut_at": client.cut_at,
        "revision": client.revision,
        "relying_party": msgspec.to_builtins(client.relying_party),
    }


def _client(row: Row[Any]) -> Client:
    return Client(
        client_id=ClientId(row.client_id),
        name=row.name,
        profile=Profile(row.profile),
        auth_methods=frozenset(AuthMethod(method) for method in row.auth_methods),
        grants=frozenset(row.grants),
        scopes=Scope.of(row.scopes),
        audiences=tuple(row.audiences),
        serves=frozenset(row.serves),
        redirect_uris=tuple(row.redirect_uris),
        origins=frozenset(row.origins),
        first_party=row.first_party,
        lifetimes=Lifetimes(**{name: _duration(row.lifetimes.get(name)) for name in _LIFETIMES}),
        on_outage=OnOutage(row.on_outage) if row.on_outage else None,
        secrets=tuple(ClientSecret(stored, datetime.fromisoformat(created_at)) for stored, created_at in row.secrets),
        created_at=row.created_at,
        updated_at=row.updated_at,
        disabled_at=row.disabled_at,
        cut_at=row.cut_at,
        revision=row.revision,
        relying_party=msgspec.convert(row.relying_party, RelyingParty),
    )


def _seconds(duration: timedelta | None) -> float | None:
    return None if duration is None else duration.total_seconds()


def _duration(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
