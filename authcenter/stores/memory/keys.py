"""Signing keys in memory."""

from collections.abc import Sequence
from datetime import datetime

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Conflict
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.keys import SigningKeyStore, StoredKey


class MemorySigningKeyStore(SigningKeyStore):
    """Keys of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def list_keys(self) -> Sequence[StoredKey]:
        return sorted(self._record.tables.keys.values(), key=lambda key: key.created_at)

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            _add(tables, key)
            return True

        self._record.commit(write, consequences)

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.keys.get(key.kid)
            if held is None or held.revoked_at is not None:
                return False
            tables.keys[key.kid] = key
            if successor is not None:
                _add(tables, successor)
            return True

        return self._record.commit(write, consequences)


def _add(tables: Tables, key: StoredKey) -> None:
    if key.kid in tables.keys:
        raise Conflict(f"signing key {key.kid}")
    tables.keys[key.kid] = key
