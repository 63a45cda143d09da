"""Clients and resource servers in memory."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime

from authcenter.core.client import Client
from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Conflict
from authcenter.core.resource import Resource
from authcenter.stores.memory.cuts import later_cut
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.clients import ClientStore, ResourceStore


class MemoryClientStore(ClientStore):
    """Clients of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, client_id: str) -> Client | None:
        return self._record.tables.clients.get(client_id)

    async def list_clients(self) -> Sequence[Client]:
        return sorted(self._record.tables.clients.values(), key=lambda client: client.client_id)

    async def add(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            if client.client_id in tables.clients:
                raise Conflict(f"client {client.client_id}")
            tables.clients[client.client_id] = client
            tables.note_change("client", client.client_id, at)
            _add_missing(tables, resources, at)
            return True

        self._record.commit(write, consequences)

    async def replace(
        self, client: Client, resources: Sequence[Resource] = (), consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.clients.get(client.client_id)
            if held is None or held.revision != client.revision:
                return False
            tables.clients[client.client_id] = dataclasses.replace(
                client, revision=client.revision + 1, cut_at=later_cut(held.cut_at, client.cut_at)
            )
            tables.note_change("client", client.client_id, at)
            _add_missing(tables, resources, at)
            return True

        return self._record.commit(write, consequences)

    async def remove(self, client_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if tables.clients.pop(client_id, None) is None:
                return False
            tables.note_change("client", client_id, at)
            return True

        return self._record.commit(write, consequences)


class MemoryResourceStore(ResourceStore):
    """Resources of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, resource_id: str) -> Resource | None:
        return self._record.tables.resources.get(resource_id)

    async def list_resources(self) -> Sequence[Resource]:
        return sorted(self._record.tables.resources.values(), key=lambda resource: resource.resource_id)

    async def add(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            if resource.resource_id in tables.resources:
                raise Conflict(f"resource {resource.resource_id}")
            _add_missing(tables, (resource,), at)
            return True

        self._record.commit(write, consequences)

    async def replace(self, resource: Resource, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.resources.get(resource.resource_id)
            if held is None or held.revision != resource.revision:
                return False
            tables.resources[resource.resource_id] = dataclasses.replace(resource, revision=resource.revision + 1)
            tables.note_change("resource", resource.resource_id, at)
            return True

        return self._record.commit(write, consequences)

    async def remove(self, resource_id: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if tables.resources.pop(resource_id, None) is None:
                return False
            tables.note_change("resource", resource_id, at)
            return True

        return self._record.commit(write, consequences)


def _add_missing(tables: Tables, new: Sequence[Resource], at: datetime) -> None:
    for resource in new:
        if resource.resource_id not in tables.resources:
            tables.resources[resource.resource_id] = resource
            tables.note_change("resource", resource.resource_id, at)
