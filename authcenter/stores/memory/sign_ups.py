"""Sign-ups under way, in memory."""

from dataclasses import replace
from datetime import datetime

from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.sign_up import SignUpLink
from authcenter.core.user import User, name_key
from authcenter.stores.memory.accounts import insert_user
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.sign_ups import SignUpStore


class MemorySignUpStore(SignUpStore):
    """Links of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, link: SignUpLink, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            return tables.sign_ups.setdefault(link.digest, link) is link

        return self._record.commit(write, consequences)

    async def find(self, digest: Digest) -> SignUpLink | None:
        return self._record.tables.sign_ups.get(digest)

    async def open(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        def write(tables: Tables, now: datetime) -> bool:
            link, address = tables.sign_ups.get(digest), name_key(user.email)
            if link is None or not link.lives(at) or name_key(link.email) != address:
                return False
            insert_user(tables, user, password_hash, now)
            for key, other in [*tables.sign_ups.items()]:
                if other.spent_at is None and name_key(other.email) == address:
                    tables.sign_ups[key] = replace(other, spent_at=at)
            return True

        return self._record.commit(write, consequences)
