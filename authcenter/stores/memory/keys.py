"""Signing keys in memory, and the pause of their rotation."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Conflict
from authcenter.core.ids import Kid
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.keys import RotationPause, RotationPauses, SigningKeyStore, StoredKey

_ROTATION = "keys"


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

    async def succeed(
        self, key: StoredKey, predecessor: Kid | None, consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            line = [
                one for one in tables.keys.values() if one.alg == key.alg and not one.retired_at and not one.revoked_at
            ]
            last = max(line, key=lambda one: (one.signs_from, one.created_at, one.kid), default=None)
            if (last.kid if last else None) != predecessor:
                return False
            _add(tables, key)
            return True

        return self._record.commit(write, consequences)

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.keys.get(key.kid)
            if held is None or held.revoked_at is not None:
                return False
            tables.keys[key.kid] = replace(
                held,
                private_pem=held.private_pem if key.private_pem else "",
                retired_at=held.retired_at or key.retired_at,
                revoked_at=key.revoked_at,
            )
            if successor is not None:
                _add(tables, successor)
            return True

        return self._record.commit(write, consequences)

    async def relock(self, kid: Kid, before: str, after: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.keys.get(kid)
            if held is None or held.private_pem != before:
                return False
            tables.keys[kid] = replace(held, private_pem=after)
            return True

        return self._record.commit(write, consequences)

    async def drop(self, kid: Kid, ceased_at: datetime, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.keys.get(kid)
            if held is None or not held.private_pem:
                return False
            tables.keys[kid] = replace(held, private_pem="", retired_at=held.retired_at or ceased_at)
            return True

        return self._record.commit(write, consequences)


class MemoryRotationPauses(RotationPauses):
    """The pause of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self) -> RotationPause | None:
        return self._record.tables.pauses.get(_ROTATION)

    async def put(self, pause: RotationPause | None, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if pause is None:
                return tables.pauses.pop(_ROTATION, None) is not None
            tables.pauses[_ROTATION] = pause
            return True

        return self._record.commit(write, consequences)


def _add(tables: Tables, key: StoredKey) -> None:
    if key.kid in tables.keys:
        raise Conflict(f"signing key {key.kid}")
    tables.keys[key.kid] = key
