"""Passkeys in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict
from authcenter.core.passkey import Added, Passkey
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.second_factors import drop_orphaned_codes, replace_codes
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.passkeys import PasskeyStore


class MemoryPasskeyStore(PasskeyStore):
    """Passkeys of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, credential_id: bytes) -> Passkey | None:
        return self._record.tables.passkeys.get(credential_id)

    async def list_of(self, subject: str) -> Sequence[Passkey]:
        return sorted(_of(self._record.tables, subject), key=lambda one: (one.created_at, one.credential_id))

    async def add(self, passkey: Passkey, codes: Sequence[str], at_most: int, consequences: Consequences) -> Added:
        codes_kept = False

        def write(tables: Tables, _: datetime) -> bool:
            nonlocal codes_kept
            owner = tables.users.get(passkey.subject)
            if owner is None or owner.user.disabled_at is not None or len(_of(tables, passkey.subject)) >= at_most:
                return False
            if passkey.credential_id in tables.passkeys:
                raise Conflict("passkey")
            tables.passkeys[passkey.credential_id] = passkey
            unspent = [key for key, spent_at in tables.recovery_codes.items() if spent_at is None]
            codes_kept = all(subject != passkey.subject for subject, _ in unspent)
            if codes_kept:
                replace_codes(tables, passkey.subject, codes)
            return True

        done = self._record.commit(write, consequences)
        return Added(done, done and codes_kept)

    async def use(self, passkey: Passkey, at: datetime) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.passkeys.get(passkey.credential_id)
            if held is None or held.subject != passkey.subject:
                return False
            if held.sign_count >= passkey.sign_count and (held.sign_count or passkey.sign_count):
                return False
            told = replace(held, sign_count=passkey.sign_count, backed_up=passkey.backed_up, used_at=at)
            tables.passkeys[passkey.credential_id] = replace(told, revision=held.revision + 1)
            return True

        return self._record.commit(write)

    async def remove(
        self, passkey: Passkey, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.passkeys.get(passkey.credential_id)
            if held is None or held.subject != passkey.subject:
                return False
            del tables.passkeys[passkey.credential_id]
            linked = {one.provider for one in tables.identities.values() if one.subject == passkey.subject}
            if among is not None and not _of(tables, passkey.subject) and linked.isdisjoint(among):
                return False
            drop_orphaned_codes(tables, passkey.subject)
            return True

        return self._record.commit(write, consequences)


def _of(tables: Tables, subject: str) -> list[Passkey]:
    return [one for one in tables.passkeys.values() if one.subject == subject]
