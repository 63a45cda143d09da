"""Links to confirm an account's new address, in memory."""

from dataclasses import replace
from datetime import datetime

from authcenter.core.account_links import AddressChange
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.user import User
from authcenter.stores.memory.accounts import end_reset_links, is_enabled, replace_user
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.ports.address_changes import AddressChangeStore


class MemoryAddressChangeStore(AddressChangeStore):
    """Links of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, change: AddressChange, consequences: Consequences) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            if not is_enabled(tables, change.subject):
                return False
            for digest, earlier in [*tables.address_changes.items()]:
                if earlier.subject == change.subject and earlier.spent_at is None:
                    tables.address_changes[digest] = replace(earlier, spent_at=change.created_at)
            tables.address_changes[change.digest] = change
            return True

        return self._record.commit(write, consequences)

    async def find(self, digest: Digest) -> AddressChange | None:
        return self._record.tables.address_changes.get(digest)

    async def confirm(self, digest: Digest, at: datetime, user: User, consequences: Consequences) -> bool:
        def write(tables: Tables, now: datetime) -> bool:
            change = tables.address_changes.get(digest)
            if change is None or change.spent_at or change.subject != user.subject:
                return False
            tables.address_changes[digest] = replace(change, spent_at=at)
            if not is_enabled(tables, user.subject) or not replace_user(tables, user, now):
                return False
            end_reset_links(tables, user.subject, now)
            return True

        return self._record.commit(write, consequences)
