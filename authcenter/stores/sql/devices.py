"""Device authorizations in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Row, and_, case, cast, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.device import DeviceAnswer, DeviceAuthorization
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.stores.ports.devices import SLOW_DOWN_SECONDS, DeviceCodeStore
from authcenter.stores.sql.columns import Instant
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sessions import add_client, may_go_on
from authcenter.stores.sql.sign_in_tables import device_codes
from authcenter.stores.sql.tokens import add_family
from authcenter.stores.sql.transactions import Transactions

_COLUMN = device_codes.c
_MICROSECONDS = 1_000_000


class SqlDeviceCodeStore(DeviceCodeStore):
    """Device authorizations in the table ``device_codes``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, device: DeviceAuthorization) -> None:
        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(device_codes).values(_row(device)))
            return True

        await self._transactions.commit(write)

    async def find(self, digest: Digest) -> DeviceAuthorization | None:
        return await self._one(_COLUMN.digest == digest)

    async def find_asked(self, user_code: Sequence[Digest]) -> DeviceAuthorization | None:
        return await self._one(_COLUMN.user_code_digest.in_(user_code))

    async def poll(self, digest: Digest, client_id: str, at: datetime) -> DeviceAuthorization | None:
        now = literal(at, Instant)
        interval = _COLUMN.interval_seconds
        early = and_(
            _COLUMN.polled_at.is_not(None), now < _COLUMN.polled_at + cast(interval, BigInteger) * _MICROSECONDS
        )
        polled = update(device_codes).where(_COLUMN.digest == digest, _COLUMN.client_id == client_id)
        noted = {
            "polled_at": at,
            "hurried": case((early, True), else_=False),
            "interval_seconds": case((early, interval + SLOW_DOWN_SECONDS), else_=interval),
        }
        found: DeviceAuthorization | None = None

        async def write(connection: AsyncConnection) -> bool:
            nonlocal found
            row = (await connection.execute(polled.values(noted).returning(*device_codes.c))).first()
            found = _device(row) if row else None
            return found is not None

        await self._transactions.commit(write)
        return found

    async def answer(self, digest: Digest, answer: DeviceAnswer, consequences: Consequences) -> bool:
        living = _COLUMN.digest == digest, _COLUMN.answered_at.is_(None), _COLUMN.expires_at > answer.at
        answered = update(device_codes).where(*living).values(_answer_row(answer)).returning(_COLUMN.client_id)

        async def write(connection: AsyncConnection) -> bool:
            client_id = (await connection.execute(answered)).scalar_one_or_none()
            if client_id is None:
                return False
            if answer.approved and (sid := answer.sign_in.get("sid")):
                await add_client(connection, sid, client_id, answer.at)
            return True

        return await self._transactions.commit(write, consequences)

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        unspent = update(device_codes).where(_COLUMN.digest == digest, _COLUMN.spent_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            if (await connection.execute(unspent.values(spent_at=at))).rowcount == 0:
                return False
            if not await may_go_on(connection, family.sign_in.get("sid", "")):
                return False
            return await add_family(connection, family, first)

        return await self._transactions.commit(write)

    async def _one(self, condition: ColumnElement[bool]) -> DeviceAuthorization | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(device_codes).where(condition))).first()
            return _device(row) if row else None


def _row(device: DeviceAuthorization) -> dict[str, Any]:
    return {
        "digest": device.digest,
        "user_code_digest": device.user_code_digest,
        "client_id": device.client_id,
        "scope": str(device.scope),
        "audience": list(device.audience),
        "family_id": device.family_id,
        "issued_at": device.issued_at,
        "expires_at": device.expires_at,
        "interval_seconds": device.interval_seconds,
        "polled_at": device.polled_at,
        "hurried": device.hurried,
        "spent_at": device.spent_at,
        **(_answer_row(device.answer) if device.answer else {}),
    }


def _answer_row(answer: DeviceAnswer) -> dict[str, Any]:
    return {
        "approved": answer.approved,
        "answered_at": answer.at,
        "subject": answer.subject,
        "sign_in": dict(answer.sign_in),
        "known_as": answer.known_as,
    }


def _device(row: Row[Any]) -> DeviceAuthorization:
    answer = None
    if row.answered_at is not None:
        answer = DeviceAnswer(row.approved, row.answered_at, Subject(row.subject), row.sign_in, row.known_as)
    return DeviceAuthorization(
        digest=Digest(row.digest),
        user_code_digest=Digest(row.user_code_digest),
        client_id=ClientId(row.client_id),
        scope=Scope.parse(row.scope),
        audience=tuple(row.audience),
        family_id=FamilyId(row.family_id),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        interval_seconds=row.interval_seconds,
        polled_at=row.polled_at,
        hurried=row.hurried,
        answer=answer,
        spent_at=row.spent_at,
    )
