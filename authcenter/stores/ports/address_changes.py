"""Links to confirm an account's new address, at rest."""

from datetime import datetime
from typing import Protocol

from authcenter.core.account_links import AddressChange
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.user import User


class AddressChangeStore(Protocol):
    """Links, known by digest only. Of one person at most one can be used."""

    async def add(self, change: AddressChange, consequences: Consequences) -> bool:
        """Keep it, and end those that the person asked for before. False: the person is disabled or gone."""
        ...

    async def find(self, digest: Digest) -> AddressChange | None: ...

    async def confirm(self, digest: Digest, at: datetime, user: User, consequences: Consequences) -> bool:
        """Spend it and write over the revision that ``user`` was made from, all at once; of two callers one wins.

        Links to set a password, which lie in the mailbox of the former address, end with it. False, and nothing is
        kept: it was spent or ended, or others have written the user meanwhile.

        Raises:
            Conflict: The address is somebody else's by now; nothing is kept.
        """
        ...
