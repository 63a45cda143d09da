"""Persons in memory: what hangs on one, in all tables.

Of recovery codes and passkeys the memory record does not know since when there are some: of them it tells nothing.
"""

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from authcenter.core.cut import Consequences
from authcenter.core.identity import Identity
from authcenter.core.passkey import Passkey
from authcenter.core.second_factor import TotpSecret
from authcenter.core.token import TokenFamily
from authcenter.core.user import User, name_key
from authcenter.stores.memory.accounts import replace_user
from authcenter.stores.memory.audit import empty_rows
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.audit import EmptiedRow
from authcenter.stores.ports.erasure import Holding, PersonStore

# What the cuts end, or what says nothing but a subject that names nobody any more.
_STAYS = frozenset(
    {
        *("users", "families", "tokens", "sessions", "session_clients", "codes", "devices", "pairwise"),
        *("revoked", "cuts", "changes", "status_lists", "status_entries", "outbox", "audit"),
    }
)


class MemoryPersonStore(PersonStore):
    """All tables of the shared record that have a person's rows."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def holdings(self, subject: str) -> Sequence[Holding]:
        tables = self._record.tables
        families = sorted(
            (one for one in tables.families.values() if one.subject == subject), key=lambda one: one.approved_at
        )
        identities = sorted(
            (one for one in tables.identities.values() if one.subject == subject), key=lambda one: one.linked_at
        )
        passkeys = sorted(
            (one for one in tables.passkeys.values() if one.subject == subject), key=lambda one: one.created_at
        )
        totp = tables.totp_secrets.get(subject)
        return [
            *(Holding("grant", one.client_id, one.approved_at, None, _about(one)) for one in families),
            *(Holding("identity", one.provider, one.linked_at, one.used_at, _known(one)) for one in identities),
            *([] if totp is None else [Holding("totp", "", totp.created_at, None, _confirmed(totp))]),
            *map(_passkey, passkeys),
        ]

    async def erase(self, user: User, audit: Sequence[EmptiedRow], consequences: Consequences) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.users.get(user.subject)
            if held is None or not replace_user(tables, user, at, ""):
                return False
            for key, (session, cookie) in list(tables.sessions.items()):
                if session.subject == user.subject:
                    tables.sessions[key] = (replace(session, ip="", user_agent=""), cookie)
            for table in fields(tables):
                if table.name not in _STAYS and isinstance(getattr(tables, table.name), dict):
                    _delete(getattr(tables, table.name), user.subject, name_key(held.user.email))
            return empty_rows(tables, audit)

        return self._record.commit(write, consequences)


def _passkey(one: Passkey) -> Holding:
    return Holding("passkey", one.name, one.created_at, one.used_at, (("backed_up", one.backed_up),))


def _about(family: TokenFamily) -> tuple[tuple[str, object], ...]:
    return ("scope", str(family.scope)), ("ended", family.ended_at is not None), ("known_as", family.known_as)


def _known(identity: Identity) -> tuple[tuple[str, object], ...]:
    return ("provider_subject", identity.provider_subject), ("email", identity.email), ("name", identity.name)


def _confirmed(totp: TotpSecret) -> tuple[tuple[str, object], ...]:
    return (("confirmed", totp.confirmed_at is not None),)


def _delete(rows: dict[Any, Any], subject: str, address: str) -> None:
    for key, row in list(rows.items()):
        parts = key if isinstance(key, tuple) else (key,)
        theirs = subject in {*map(str, parts), getattr(row, "subject", None), row if isinstance(row, str) else None}
        nobodys = not getattr(row, "subject", None) and name_key(str(getattr(row, "email", ""))) == address
        if theirs or nobodys:
            del rows[key]
