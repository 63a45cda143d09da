"""Sessions in SQL, and the clients signed in to in each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.ids import SessionId, Subject
from authcenter.core.session import Room, Session
from authcenter.stores.ports.sessions import SessionStore
from authcenter.stores.sql.changes import note_change
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.ended_sessions import end_sessions
from authcenter.stores.sql.sign_in_tables import session_clients, sessions
from authcenter.stores.sql.tables import users
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert


class SqlSessionStore(SessionStore):
    """Sessions in the table ``sessions``, their clients in ``session_clients``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, cookie: str) -> Session | None:
        return await self._one(sessions.c.cookie_digest == bytes.fromhex(cookie))

    async def get(self, session_id: str) -> Session | None:
        return await self._one(sessions.c.session_id == session_id)

    async def list_of(self, subject: str) -> Sequence[Session]:
        alive = select(sessions).where(sessions.c.subject == subject, sessions.c.ended_at.is_(None))
        async with self._database.reading() as connection:
            rows = await connection.execute(alive.order_by(sessions.c.last_active_at.desc(), sessions.c.session_id))
            return [_session(row) for row in rows]

    async def add(self, session: Session, cookie: Digest, consequences: Consequences, room: Room | None = None) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            if room is not None and not room.suffices(await _held_alive(connection, session.subject, room)):
                return False
            await connection.execute(insert(sessions).values(_row(session) | {"cookie_digest": cookie}))
            return True

        return await self._transactions.commit(write, consequences)

    async def renew(self, session: Session, cookie: Digest, consequences: Consequences) -> bool:
        alive = sessions.c.session_id == session.session_id, sessions.c.ended_at.is_(None)

        async def write(connection: AsyncConnection) -> bool:
            held = select(sessions.c.cookie_digest).where(*alive).with_for_update()
            old = (await connection.execute(held)).scalar_one_or_none()
            if old is None:
                return False
            new = _row(session) | {"cookie_digest": cookie}
            await connection.execute(update(sessions).where(*alive).values(new))
            await note_change(connection, "session", old.hex())
            return True

        return await self._transactions.commit(write, consequences)

    async def count_alive(self, at: datetime, used_since: datetime) -> int:
        counted = select(func.count()).select_from(sessions).where(_alive(at, used_since))
        async with self._database.reading() as connection:
            return int((await connection.execute(counted)).scalar_one())

    async def touch(self, session_id: str, at: datetime) -> None:
        # No change is noted: who reads an older instant elsewhere writes a newer one a little early.
        used = update(sessions).where(sessions.c.session_id == session_id, sessions.c.last_active_at < at)

        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(used.values(last_active_at=at))
            return True

        await self._transactions.commit(write)

    async def end(self, session_id: str, at: datetime, consequences: Consequences) -> bool:
        async def write(connection: AsyncConnection) -> bool:
            return bool(await end_sessions(connection, sessions.c.session_id == session_id, at))

        return await self._transactions.commit(write, consequences)

    async def note_client(self, session_id: str, client_id: str, at: datetime) -> None:
        async def write(connection: AsyncConnection) -> bool:
            return await add_client(connection, session_id, client_id, at)

        await self._transactions.commit(write)

    async def clients_of(self, session_id: str) -> Sequence[str]:
        row = session_clients.c
        async with self._database.reading() as connection:
            found = select(row.client_id).where(row.session_id == session_id).order_by(row.since, row.client_id)
            return list((await connection.execute(found)).scalars())

    async def _one(self, condition: ColumnElement[bool]) -> Session | None:
        async with self._database.reading() as connection:
            row = (await connection.execute(select(sessions).where(condition))).first()
            return _session(row) if row else None


async def add_client(connection: AsyncConnection, session_id: str, client_id: str, at: datetime) -> bool:
    """Note in this transaction that ``client_id`` is signed in to in the session."""
    new = {"session_id": session_id, "client_id": client_id, "since": at}
    return await upsert(connection, session_clients, new, ("session_id", "client_id"), {})


async def may_go_on(connection: AsyncConnection, session_id: str) -> bool:
    """Whether nobody has ended the session. Its end then waits for this transaction, and finds what that opens."""
    held = select(sessions.c.ended_at).where(sessions.c.session_id == session_id).with_for_update(read=True)
    return (await connection.execute(held)).scalar_one_or_none() is None


async def _held_alive(connection: AsyncConnection, subject: str, room: Room) -> list[str]:
    """The person's sessions that are alive: until this transaction ends, nobody else adds one."""
    # Their row in `users`, which cuts lock first, too. On SQLite there is one writer at a time.
    await connection.execute(select(users.c.subject).where(users.c.subject == subject).with_for_update())
    theirs = select(sessions.c.session_id).where(sessions.c.subject == subject, _alive(room.at, room.used_since))
    return list((await connection.execute(theirs)).scalars())


def _alive(at: datetime, used_since: datetime) -> ColumnElement[bool]:
    row = sessions.c
    return and_(row.ended_at.is_(None), row.expires_at > at, row.last_active_at > used_since)


def _row(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.session_id,
        "subject": session.subject,
        "auth_time": session.auth_time,
        "acr": session.acr,
        "amr": list(session.amr),
        "user_agent": session.user_agent,
        "ip": session.ip,
        "created_at": session.created_at,
        "last_active_at": session.last_active_at,
        "expires_at": session.expires_at,
        "ended_at": session.ended_at,
    }


def _session(row: Row[Any]) -> Session:
    return Session(
        session_id=SessionId(row.session_id),
        subject=Subject(row.subject),
        auth_time=row.auth_time,
        acr=row.acr,
        amr=tuple(row.amr),
        user_agent=row.user_agent,
        ip=row.ip,
        created_at=row.created_at,
        last_active_at=row.last_active_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )
