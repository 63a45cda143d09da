"""Second factors in SQL: tables ``totp_secrets``, ``recovery_codes`` and ``passkeys``."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, insert, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.ids import Subject
from authcenter.core.second_factor import Factor, TotpSecret
from authcenter.stores.ports.second_factors import FactorStore, RecoveryCodeStore, TotpStore
from authcenter.stores.sql.account_tables import passkeys, recovery_codes, totp_secrets
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import users
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert

_TOTP, _CODE = totp_secrets.c, recovery_codes.c


class SqlTotpStore(TotpStore):
    """Secrets of one-time codes in the table ``totp_secrets``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, subject: str) -> TotpSecret | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(totp_secrets).where(_TOTP.subject == subject))).first()
            return _totp(row) if row else None

    async def put(self, totp: TotpSecret) -> bool:
        row = _row(totp)
        changed = {name: value for name, value in row.items() if name != "subject"}

        async def write(connection: AsyncConnection) -> bool:
            return await upsert(connection, totp_secrets, row, ("subject",), changed, _TOTP.confirmed_at.is_(None))

        return await self._transactions.commit(write)

    async def confirm(
        self, held: TotpSecret, step: int, at: datetime, codes: Sequence[str], consequences: Consequences
    ) -> bool:
        unconfirmed = update(totp_secrets).where(*_same(held), _TOTP.confirmed_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            await _lock(connection, held.subject)
            if (await connection.execute(unconfirmed.values(confirmed_at=at, last_step=step))).rowcount == 0:
                return False
            await replace_codes(connection, held.subject, codes, at)
            return True

        return await self._transactions.commit(write, consequences)

    async def spend(self, held: TotpSecret, step: int, sealed: bytes) -> bool:
        newer = update(totp_secrets).where(*_same(held), _TOTP.confirmed_at.is_not(None), _TOTP.last_step < step)

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(newer.values(last_step=step, sealed_secret=sealed))).rowcount == 1

        return await self._transactions.commit(write)

    async def remove(self, subject: str, consequences: Consequences) -> bool:
        confirmed = delete(totp_secrets).where(_TOTP.subject == subject, _TOTP.confirmed_at.is_not(None))

        async def write(connection: AsyncConnection) -> bool:
            await _lock(connection, subject)
            if (await connection.execute(confirmed)).rowcount == 0:
                return False
            await drop_orphaned_codes(connection, subject)
            return True

        return await self._transactions.commit(write, consequences)


class SqlRecoveryCodeStore(RecoveryCodeStore):
    """Recovery codes in the table ``recovery_codes``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def unspent(self, subject: str) -> Sequence[str]:
        held = select(_CODE.mac).where(_CODE.subject == subject, _CODE.spent_at.is_(None)).order_by(_CODE.mac)
        async with self._database.reading() as connection:
            return list((await connection.execute(held)).scalars())

    async def replace(self, subject: str, codes: Sequence[str], at: datetime, consequences: Consequences) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            await _lock(connection, subject)
            if not (await connection.execute(select(or_(*_counting(subject).values())))).scalar_one():
                return False
            await replace_codes(connection, subject, codes, at)
            return True

        return await self._transactions.commit(write, consequences)

    async def spend(self, subject: str, code: str, at: datetime, consequences: Consequences) -> bool:
        unspent = update(recovery_codes).where(_CODE.subject == subject, _CODE.mac == code, _CODE.spent_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(unspent.values(spent_at=at))).rowcount == 1

        return await self._transactions.commit(write, consequences)


class SqlFactorStore(FactorStore):
    """What there is of second factors in all three tables."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def factors_of(self, subject: str) -> frozenset[Factor]:
        asked = select(*(condition.label(factor.value) for factor, condition in _counting(subject).items()))
        async with self._database.reading() as connection:
            row = (await connection.execute(asked)).one()
            return frozenset(factor for factor in Factor if getattr(row, factor.value))

    async def end_all(self, subject: str, consequences: Consequences) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            await _lock(connection, subject)
            tables = (totp_secrets, passkeys, recovery_codes)
            gone = [(await connection.execute(delete(table).where(table.c.subject == subject))) for table in tables]
            return any(one.rowcount for one in gone)

        return await self._transactions.commit(write, consequences)


async def drop_orphaned_codes(connection: AsyncConnection, subject: str) -> None:
    """Remove the recovery codes where there is no factor left that they could stand in for."""
    without = [~condition for condition in _counting(subject).values()]
    await connection.execute(delete(recovery_codes).where(_CODE.subject == subject, *without))


async def _lock(connection: AsyncConnection, subject: str) -> None:
    """One at a time changes which factors a person has: what depends on what is left must not be overtaken."""
    await connection.execute(select(users.c.subject).where(users.c.subject == subject).with_for_update())


async def replace_codes(connection: AsyncConnection, subject: str, codes: Sequence[str], at: datetime) -> None:
    """Put recovery codes in the place of all there were."""
    await connection.execute(delete(recovery_codes).where(_CODE.subject == subject))
    if codes:
        rows = [{"subject": subject, "mac": code, "created_at": at, "spent_at": None} for code in codes]
        await connection.execute(insert(recovery_codes), rows)


def _counting(subject: str) -> dict[Factor, ColumnElement[bool]]:
    """Of each kind whether the person has one that counts."""
    confirmed = select(literal(1)).where(_TOTP.subject == subject, _TOTP.confirmed_at.is_not(None))
    held = select(literal(1)).where(passkeys.c.subject == subject)
    return {Factor.TOTP: exists(confirmed), Factor.PASSKEY: exists(held)}


def _same(held: TotpSecret) -> tuple[ColumnElement[bool], ...]:
    return _TOTP.subject == held.subject, _TOTP.sealed_secret == held.sealed


def _row(totp: TotpSecret) -> dict[str, Any]:
    return {
        "subject": totp.subject,
        "sealed_secret": totp.sealed,
        "created_at": totp.created_at,
        "confirmed_at": totp.confirmed_at,
        "last_step": totp.last_step,
    }


def _totp(row: Row[Any]) -> TotpSecret:
    return TotpSecret(Subject(row.subject), row.sealed_secret, row.created_at, row.confirmed_at, row.last_step)
