"""Sign-ups under way, at rest."""

from datetime import datetime
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.sign_up import SignUpLink
from authcenter.core.user import User


class SignUpStore(Protocol):
    """Links that open an account, known by digest only. Several for one address may be alive."""

    async def add(self, link: SignUpLink, consequences: Consequences) -> bool:
        """Keep it. False, and nothing is kept: it is there already."""
        ...

    async def find(self, digest: Digest) -> SignUpLink | None:
        """Spent and lapsed ones too."""
        ...

    async def open(
        self, digest: Digest, at: datetime, user: User, password_hash: str, consequences: Consequences
    ) -> bool:
        """Spend the link and the others for its address, and add ``user``, in one transaction; of two callers one wins.

        False, and nothing is kept: it was spent, has lapsed ``at``, or is for another address than the user's.

        Raises:
            Conflict: The name or the address is taken; nothing is kept, and the link can be used again.
        """
        ...
