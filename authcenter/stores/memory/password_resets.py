"""Links to set a password, in memory."""

from dataclasses import replace
from datetime import datetime

from authcenter.core.account_links import ResetLink
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.user import User
from authcenter.stores.memory.accounts import end_reset_links, is_enabled, replace_user
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.password_resets import PasswordResetStore


class MemoryPasswordResetStore(PasswordResetStore):
    """Links of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, link: ResetLink, consequences: Consequences) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if not is_enabled(tables, link.subject) or link.digest in tables.reset_links:
                return False
            end_reset_links(tables, link.subject, at)
            tables.reset_links[link.digest] = link
            return True

        return self._record.commit(write, consequences)

    async def find(self, digest: Digest) -> ResetLink | None:
        return self._record.tables.reset_links.get(digest)

    async def redeem(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        def write(tables: Tables, now: datetime) -> bool:
            link = tables.reset_links.get(digest)
            if link is None or link.spent_at or link.subject != user.subject or not is_enabled(tables, user.subject):
                return False
            tables.reset_links[digest] = replace(link, spent_at=at)
            return replace_user(tables, user, now, password_hash)

        return self._record.commit(write, consequences)
