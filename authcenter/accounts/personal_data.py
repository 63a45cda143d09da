"""All that is kept about a person, as they may take it with them: no secret, nothing of anybody else."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authcenter.accounts.users import Accounts
from authcenter.core.clock import Clock
from authcenter.core.consent import Consent
from authcenter.core.event import Event, EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.session import Session
from authcenter.core.user import User
from authcenter.stores.ports.audit import AuditLog, AuditRow
from authcenter.stores.ports.erasure import Holding, PersonStore
from authcenter.stores.ports.sessions import ConsentStore, SessionStore

_MOST_EVENTS = 10_000
_KINDS = {
    "grant": "grants",
    "identity": "identities",
    "totp": "authenticator_apps",
    "recovery_codes": "recovery_codes",
    "passkey": "passkeys",
}


@dataclass(frozen=True, slots=True)
class PersonalData:
    """Gathers it from all stores."""

    accounts: Accounts
    consents: ConsentStore
    sessions: SessionStore
    persons: PersonStore
    audit: AuditLog
    issuer: str
    clock: Clock

    async def of(self, subject: str) -> dict[str, Any]:
        """JSON values, by what they are. Events are the newest 10,000; instants are ISO 8601.

        Raises:
            NotFound: There is no such account.
            StoreUnavailable: Cannot tell all of it.
        """
        user = await self.accounts.get(subject)
        sessions = await self.sessions.list_of(subject)
        clients = [await self.sessions.clients_of(session.session_id) for session in sessions]
        events = await self.audit.rows_about(subject, _MOST_EVENTS)
        return {
            "issuer": self.issuer,
            "made_at": _told(self.clock.now()),
            "account": _account(user),
            "consents": [_consent(one) for one in await self.consents.list_of(subject)],
            "sessions": [_session(*pair) for pair in zip(sessions, clients, strict=True)],
            **_holdings(await self.persons.holdings(subject)),
            "events": [_event(row, subject) for row in events],
            "events_complete": len(events) < _MOST_EVENTS,
        }

    async def hand_out(self, subject: str, origin: RequestOrigin) -> dict[str, Any]:
        """As ``of``, once the audit log says that they have it."""
        told = await self.of(subject)
        await self.audit.append(Event(EventKind.USER_DATA_DOWNLOADED, subject, subject=subject, origin=origin))
        return told


def _account(user: User) -> dict[str, Any]:
    return {
        "sub": user.subject,
        "username": user.username,
        "email": user.email,
        "email_verified": user.email_verified,
        "roles": sorted(user.roles),
        "created_at": _told(user.created_at),
        "updated_at": _told(user.updated_at),
        "claims": dict(user.claims),
    }


def _consent(consent: Consent) -> dict[str, Any]:
    return {
        "client_id": consent.client_id,
        "scope": sorted(consent.scope.values),
        "claims": sorted(consent.claims),
        "resources": sorted(consent.resources),
        "granted_at": _told(consent.granted_at),
        "updated_at": _told(consent.updated_at),
    }


def _session(session: Session, clients: Sequence[str]) -> dict[str, Any]:
    return {
        "sid": session.session_id,
        "created_at": _told(session.created_at),
        "last_active_at": _told(session.last_active_at),
        "expires_at": _told(session.expires_at),
        "signed_in_at": _told(session.auth_time),
        "acr": session.acr,
        "amr": list(session.amr),
        "ip": session.ip,
        "user_agent": session.user_agent,
        "clients": list(clients),
    }


def _holdings(held: Sequence[Holding]) -> Mapping[str, list[dict[str, Any]]]:
    told = defaultdict[str, list[dict[str, Any]]](list, {name: [] for name in _KINDS.values()})
    for one in held:
        times = {"created_at": _told(one.created_at), "used_at": one.used_at and _told(one.used_at)}
        told[_KINDS[one.kind]].append({**({"name": one.name} if one.name else {}), **times, **dict(one.about)})
    return told


def _event(row: AuditRow, subject: str) -> dict[str, Any]:
    """Where somebody else acted on the account, it is not said who, nor from where."""
    own = {"ip": row.ip, "user_agent": row.user_agent} if row.actor == subject else {}
    told = {"at": row.occurred_at, "event": row.event, "by": "you" if row.actor == subject else "others"}
    return {**told, "client_id": row.client_id, "request_id": row.request_id, **own}


def _told(at: datetime) -> str:
    return at.isoformat()
