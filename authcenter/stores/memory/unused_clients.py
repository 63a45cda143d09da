"""Unused clients in memory."""

from collections.abc import Sequence
from datetime import datetime

from authcenter.core.client import Client
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.ports.unused_clients import TRACED_GRANTS, UnusedClients


class MemoryUnusedClients(UnusedClients):
    """Looks into the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def list_unused(self, before: datetime, most: int) -> Sequence[str]:
        tables = self._record.tables
        traced = {client_id for _, client_id in tables.consents}
        traced |= {family.client_id for family in tables.families.values()}
        unused = [
            client
            for client in tables.clients.values()
            if client.updated_at < before and _may_go(client) and client.client_id not in traced
        ]
        return [one.client_id for one in sorted(unused, key=lambda one: (one.updated_at, one.client_id))][:most]


def _may_go(client: Client) -> bool:
    untouched = client.disabled_at is None and not client.first_party
    return untouched and client.relying_party.openly and client.grants <= TRACED_GRANTS
