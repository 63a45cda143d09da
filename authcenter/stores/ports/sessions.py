"""Sessions and consents, at rest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.consent import Consent
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.session import Room, Session


class SessionLookup(Protocol):
    """Sessions by the digest of their cookie: what each page asks."""

    async def find(self, cookie: str, /) -> Session | None:
        """The session whose cookie has this digest (hexadecimal SHA-256), ended or lapsed ones included."""
        ...


class SessionStore(SessionLookup, Protocol):
    """The record of sessions. Every write notes a change of kind ``session`` by the cookie's digest."""

    async def get(self, session_id: str) -> Session | None: ...

    async def list_of(self, subject: str) -> Sequence[Session]:
        """Those that have not ended, the most recently active first."""
        ...

    async def add(self, session: Session, cookie: Digest, consequences: Consequences, room: Room | None = None) -> bool:
        """Keep a new one, where there is room for it. False: there is not, or no longer; nothing was kept.

        Exact, however many are added at once by however many processes.
        """
        ...

    async def renew(self, session: Session, cookie: Digest, consequences: Consequences) -> bool:
        """Give it a new cookie and what the new sign-in proved; the old cookie is dead. False: it has ended."""
        ...

    async def count_alive(self, at: datetime, used_since: datetime) -> int:
        """How many are alive, as ``Session.alive`` has it, of all people together."""
        ...

    async def touch(self, session_id: str, at: datetime) -> None:
        """Note that it is being used."""
        ...

    async def end(self, session_id: str, at: datetime, consequences: Consequences) -> bool:
        """End it, once, and the families that the cuts among the consequences hit. False where it had ended."""
        ...

    async def note_client(self, session_id: str, client_id: str, at: datetime) -> None:
        """Remember that the client was signed in to in this session. Idempotent."""
        ...

    async def clients_of(self, session_id: str) -> Sequence[str]:
        """The clients signed in to: whom a logout must tell."""
        ...


class ConsentStore(Protocol):
    """What people agreed to."""

    async def find(self, subject: str, client_id: str) -> Consent | None: ...

    async def list_of(self, subject: str) -> Sequence[Consent]: ...

    async def put(self, consent: Consent, consequences: Consequences) -> None:
        """Keep it in the place of what there was."""
        ...

    async def remove(self, subject: str, client_id: str, consequences: Consequences) -> bool: ...
