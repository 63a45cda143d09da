"""Second factors in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import Consequences
from authcenter.core.second_factor import Factor, TotpSecret
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.second_factors import FactorStore, RecoveryCodeStore, TotpStore


class MemoryTotpStore(TotpStore):
    """Secrets of one-time codes of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, subject: str) -> TotpSecret | None:
        return self._record.tables.totp_secrets.get(subject)

    async def put(self, totp: TotpSecret) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.totp_secrets.get(totp.subject)
            if held is not None and held.confirmed_at is not None:
                return False
            tables.totp_secrets[totp.subject] = totp
            return True

        return self._record.commit(write)

    async def confirm(
        self, held: TotpSecret, step: int, at: datetime, codes: Sequence[str], consequences: Consequences
    ) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            now = tables.totp_secrets.get(held.subject)
            if now is None or now.sealed != held.sealed or now.confirmed_at is not None:
                return False
            tables.totp_secrets[held.subject] = replace(now, confirmed_at=at, last_step=step)
            replace_codes(tables, held.subject, codes)
            return True

        return self._record.commit(write, consequences)

    async def spend(self, held: TotpSecret, step: int, sealed: bytes) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            now = tables.totp_secrets.get(held.subject)
            if now is None or now.sealed != held.sealed or now.confirmed_at is None or now.last_step >= step:
                return False
            tables.totp_secrets[held.subject] = replace(now, last_step=step, sealed=sealed)
            return True

        return self._record.commit(write)

    async def remove(self, subject: str, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            if Factor.TOTP not in _factors(tables, subject):
                return False
            del tables.totp_secrets[subject]
            drop_orphaned_codes(tables, subject)
            return True

        return self._record.commit(write, consequences)


class MemoryRecoveryCodeStore(RecoveryCodeStore):
    """Recovery codes of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def unspent(self, subject: str) -> Sequence[str]:
        held = self._record.tables.recovery_codes.items()
        return sorted(code for (owner, code), spent_at in held if owner == subject and spent_at is None)

    async def replace(self, subject: str, codes: Sequence[str], at: datetime, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            if not _factors(tables, subject):
                return False
            replace_codes(tables, subject, codes)
            return True

        return self._record.commit(write, consequences)

    async def spend(self, subject: str, code: str, at: datetime, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            key = (subject, code)
            if key not in tables.recovery_codes or tables.recovery_codes[key] is not None:
                return False
            tables.recovery_codes[key] = at
            return True

        return self._record.commit(write, consequences)


class MemoryFactorStore(FactorStore):
    """What there is of second factors in the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def factors_of(self, subject: str) -> frozenset[Factor]:
        return _factors(self._record.tables, subject)

    async def end_all(self, subject: str, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            passkeys = [key for key, held in tables.passkeys.items() if held.subject == subject]
            for key in passkeys:
                del tables.passkeys[key]
            totp = tables.totp_secrets.pop(subject, None)
            return _drop_codes(tables, subject) or totp is not None or bool(passkeys)

        return self._record.commit(write, consequences)


def drop_orphaned_codes(tables: Tables, subject: str) -> None:
    """Remove the recovery codes where there is no factor left that they could stand in for."""
    if not _factors(tables, subject):
        _drop_codes(tables, subject)


def _factors(tables: Tables, subject: str) -> frozenset[Factor]:
    totp = tables.totp_secrets.get(subject)
    confirmed = {Factor.TOTP} if totp is not None and totp.confirmed_at is not None else set()
    passkeys = any(held.subject == subject for held in tables.passkeys.values())
    return frozenset(confirmed | ({Factor.PASSKEY} if passkeys else set()))


def replace_codes(tables: Tables, subject: str, codes: Sequence[str]) -> None:
    """Put recovery codes in the place of all there were."""
    _drop_codes(tables, subject)
    tables.recovery_codes.update({(subject, code): None for code in codes})


def _drop_codes(tables: Tables, subject: str) -> bool:
    old = [key for key in tables.recovery_codes if key[0] == subject]
    for key in old:
        del tables.recovery_codes[key]
    return bool(old)
