"""Device authorizations in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from authcenter.core.cut import Consequences
from authcenter.core.device import DeviceAnswer, DeviceAuthorization
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.memory.tokens import add_family
from authcenter.stores.ports.devices import SLOW_DOWN_SECONDS, DeviceCodeStore


class MemoryDeviceCodeStore(DeviceCodeStore):
    """Device authorizations of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, device: DeviceAuthorization) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            taken = {held.user_code_digest for held in tables.devices.values()}
            if device.digest in tables.devices or device.user_code_digest in taken:
                raise Conflict("device code")
            tables.devices[device.digest] = device
            return True

        self._record.commit(write)

    async def find(self, digest: Digest) -> DeviceAuthorization | None:
        return self._record.tables.devices.get(digest)

    async def find_asked(self, user_code: Sequence[Digest]) -> DeviceAuthorization | None:
        held = self._record.tables.devices.values()
        return next((device for device in held if device.user_code_digest in user_code), None)

    async def poll(self, digest: Digest, client_id: str, at: datetime) -> DeviceAuthorization | None:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.devices.get(digest)
            if held is None or held.client_id != client_id:
                return False
            in_time = held.polled_at is None or at >= held.polled_at + timedelta(seconds=held.interval_seconds)
            interval = held.interval_seconds + (0 if in_time else SLOW_DOWN_SECONDS)
            tables.devices[digest] = replace(held, polled_at=at, hurried=not in_time, interval_seconds=interval)
            return True

        return self._record.tables.devices[digest] if self._record.commit(write) else None

    async def answer(self, digest: Digest, answer: DeviceAnswer, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.devices.get(digest)
            if held is None or held.answer is not None or held.expires_at <= answer.at:
                return False
            tables.devices[digest] = replace(held, answer=answer)
            if answer.approved and (sid := answer.sign_in.get("sid")):
                tables.session_clients.setdefault((sid, held.client_id), answer.at)
            return True

        return self._record.commit(write, consequences)

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.devices.get(digest)
            if held is None or held.spent_at or tables.has_ended(family.sign_in.get("sid", "")):
                return False
            tables.devices[digest] = replace(held, spent_at=at)
            return add_family(tables, family, first)

        return self._record.commit(write)
