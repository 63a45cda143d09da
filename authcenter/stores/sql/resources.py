"""Resource servers in SQL."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.resource import Resource, ResourceScope
from authcenter.stores.ports.clients import ResourceStore
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import resources
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert


async def add_missing(connection: AsyncConnection, new: Sequence[Resource]) -> None:
    """Keep those that are not there yet."""
    for resource in new:
        if await upsert(connection, resources, _row(resource), ("resource_id",), {}):
            await note_change(connection, "resource", resource.resource_id)


class SqlResourceStore(ResourceStore):
    """Resources in the table ``resources``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, resource_id: str) -> Resource | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(resources).where(resources.c.resource_id == resource_id))).first()
            return _resource(row) if row else None

    async def list_resources(self) -> Sequence[Resource]:
        async with self._database.reading() as connection:
            rows = await connection.execute(select(resources).order_by(resources.c.resource_id))
            return [_resource(row) for row in rows]

    async def add(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(resources).values(_row(resource)))
            await note_change(connection, "resource", resource.resource_id)
            return True

        await self._transactions.commit(write, consequences)

    async def replace(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            row = resources.c
            unchanged = row.resource_id == resource.resource_id, row.revision == resource.revision
            new = _row(resource) | {"revision": resource.revision + 1}
            if (await connection.execute(update(resources).where(*unchanged).values(new))).rowcount == 0:
                return False
            await note_change(connection, "resource", resource.resource_id)
            return True

        return await self._transactions.commit(write, consequences)

    async def remove(self, resource_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            gone = delete(resources).where(resources.c.resource_id == resource_id)
            if (await connection.execute(gone)).rowcount == 0:
                return False
            await note_change(connection, "resource", resource_id)
            return True

        return await self._transactions.commit(write, consequences)


def _row(resource: Resource) -> dict[str, Any]:
    return {
        "resource_id": resource.resource_id,
        "name": resource.name,
        "scopes": {value: {"text": scope.text, "role": scope.role} for value, scope in resource.scopes.items()},
        "created_at": resource.created_at,
        "updated_at": resource.updated_at,
        "revision": resource.revision,
    }


def _resource(row: Row[Any]) -> Resource:
    return Resource(
        resource_id=row.resource_id,
        name=row.name,
        scopes={value: ResourceScope(**scope) for value, scope in row.scopes.items()},
        created_at=row.created_at,
        updated_at=row.updated_at,
        revision=row.revision,
    )
