"""Sessions and consents in memory."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from authcenter.core.consent import Consent
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.errors import Conflict
from authcenter.core.session import Room, Session
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.sessions import ConsentStore, SessionStore


class MemorySessionStore(SessionStore):
    """Sessions of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, cookie: str) -> Session | None:
        digest = bytes.fromhex(cookie)
        held = self._record.tables.sessions.values()
        return next((session for session, known in held if known == digest), None)

    async def get(self, session_id: str) -> Session | None:
        held = self._record.tables.sessions.get(session_id)
        return held[0] if held else None

    async def list_of(self, subject: str) -> Sequence[Session]:
        held = self._record.tables.sessions.values()
        alive = [session for session, _ in held if session.subject == subject and session.ended_at is None]
        return sorted(alive, key=lambda session: (-session.last_active_at.timestamp(), session.session_id))

    async def add(self, session: Session, cookie: Digest, consequences: Consequences, room: Room | None = None) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if room is not None:
                theirs = [held for held, _ in tables.sessions.values() if held.subject == session.subject]
                if not room.suffices([held.session_id for held in theirs if held.alive(room.at, room.used_since)]):
                    return False
            if session.session_id in tables.sessions:
                raise Conflict(f"session {session.session_id}")
            tables.sessions[session.session_id] = (session, cookie)
            return True

        return self._record.commit(write, consequences)

    async def renew(self, session: Session, cookie: Digest, consequences: Consequences) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            held = tables.sessions.get(session.session_id)
            if held is None or held[0].ended_at:
                return False
            tables.sessions[session.session_id] = (session, cookie)
            tables.note_change("session", held[1].hex(), at)
            return True

        return self._record.commit(write, consequences)

    async def count_alive(self, at: datetime, used_since: datetime) -> int:
        return sum(held.alive(at, used_since) for held, _ in self._record.tables.sessions.values())

    async def touch(self, session_id: str, at: datetime) -> None:
        def write(tables: Tables, _: datetime) -> bool:
            held = tables.sessions.get(session_id)
            if held is None or held[0].last_active_at >= at:
                return False
            tables.sessions[session_id] = (replace(held[0], last_active_at=at), held[1])
            return True

        self._record.commit(write)

    async def end(self, session_id: str, at: datetime, consequences: Consequences) -> bool:
        def write(tables: Tables, now: datetime) -> bool:
            held = tables.sessions.get(session_id)
            if held is None or held[0].ended_at:
                return False
            tables.end_session(session_id, at, now)
            return True

        return self._record.commit(write, consequences)

    async def note_client(self, session_id: str, client_id: str, at: datetime) -> None:
        def write(tables: Tables, _: datetime) -> bool:
            tables.session_clients.setdefault((session_id, client_id), at)
            return True

        self._record.commit(write)

    async def clients_of(self, session_id: str) -> Sequence[str]:
        noted = self._record.tables.session_clients.items()
        return [client for _, client in sorted((since, key[1]) for key, since in noted if key[0] == session_id)]


class MemoryConsentStore(ConsentStore):
    """Consents of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def find(self, subject: str, client_id: str) -> Consent | None:
        return self._record.tables.consents.get((subject, client_id))

    async def list_of(self, subject: str) -> Sequence[Consent]:
        held = self._record.tables.consents.values()
        return sorted((one for one in held if one.subject == subject), key=lambda one: one.client_id)

    async def put(self, consent: Consent, consequences: Consequences) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            key = (consent.subject, consent.client_id)
            held = tables.consents.get(key)
            tables.consents[key] = replace(consent, granted_at=held.granted_at) if held else consent
            return True

        self._record.commit(write, consequences)

    async def remove(self, subject: str, client_id: str, consequences: Consequences) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            return tables.consents.pop((subject, client_id), None) is not None

        return self._record.commit(write, consequences)
