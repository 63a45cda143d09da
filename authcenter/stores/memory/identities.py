"""Identities elsewhere, in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict
from authcenter.core.identity import Identity
from authcenter.core.user import User, name_key
from authcenter.stores.memory.accounts import insert_user
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.identities import IdentityStore

NO_PASSWORD = ""
"""The hash that no password has."""


class MemoryIdentityStore(IdentityStore):
    """Identities of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, provider: str, provider_subject: str) -> Identity | None:
        return self._record.tables.identities.get((provider, provider_subject))

    async def list_of(self, subject: str) -> Sequence[Identity]:
        held = [one for one in self._record.tables.identities.values() if one.subject == subject]
        return sorted(held, key=lambda one: (one.linked_at, one.provider, one.provider_subject))

    async def open(self, user: User, identity: Identity, consequences: Consequences) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            insert_user(tables, user, NO_PASSWORD, at)
            _insert(tables, identity)
            return True

        self._record.commit(write, consequences)

    async def link(self, identity: Identity, consequences: Consequences, *, address: str | None = None) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.users.get(identity.subject)
            if held is None or held.user.disabled_at is not None:
                return False
            verified = held.user.email_verified and name_key(held.user.email) == name_key(address or "")
            if address is not None and not verified:
                return False
            _insert(tables, identity)
            return True

        return self._record.commit(write, consequences)

    async def used(self, identity: Identity) -> None:
        def write(tables: Tables, _: datetime) -> bool:
            key = (identity.provider, identity.provider_subject)
            held = tables.identities.get(key)
            if held is None:
                return False
            told = replace(held, used_at=identity.used_at, email=identity.email, name=identity.name)
            tables.identities[key] = told
            return True

        self._record.commit(write)

    async def remove(
        self, identity: Identity, consequences: Consequences, *, among: Collection[str] | None = None
    ) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            key = (identity.provider, identity.provider_subject)
            held = tables.identities.get(key)
            if held is None or held.subject != identity.subject:
                return False
            del tables.identities[key]
            left = {one.provider for one in tables.identities.values() if one.subject == identity.subject}
            passkey = any(one.subject == identity.subject for one in tables.passkeys.values())
            return among is None or passkey or not left.isdisjoint(among)

        return self._record.commit(write, consequences)


def _insert(tables: Tables, identity: Identity) -> None:
    key = (identity.provider, identity.provider_subject)
    if key in tables.identities:
        raise Conflict("identity")
    tables.identities[key] = identity
