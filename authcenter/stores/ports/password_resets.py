"""Links to set a password, at rest."""

from datetime import datetime
from typing import Protocol

from authcenter.core.account_links import ResetLink
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.user import User


class PasswordResetStore(Protocol):
    """Links, known by digest only. Of one person at most one can be used; setting a password by any way ends it."""

    async def add(self, link: ResetLink, consequences: Consequences) -> bool:
        """Keep it, and end those that the person was sent before.

        False, and nothing is kept: the person is disabled or gone, or the link is there already.
        """
        ...

    async def find(self, digest: Digest) -> ResetLink | None: ...

    async def redeem(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        """Spend it and write over the revision that ``user`` was made from, all at once; of two callers one wins.

        False, and nothing is kept: it was spent or ended, or others have written the user meanwhile.
        """
        ...
