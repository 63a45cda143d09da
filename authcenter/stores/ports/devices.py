"""Device authorizations, at rest."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.device import DeviceAnswer, DeviceAuthorization
from authcenter.core.digest import Digest
from authcenter.core.token import RefreshToken, TokenFamily

SLOW_DOWN_SECONDS = 5
"""What a poll that comes too early adds to the interval (RFC 8628 §3.5)."""


class DeviceCodeStore(Protocol):
    """Device authorizations. Spent ones stay until what they made has lapsed: a second use is recognised."""

    async def add(self, device: DeviceAuthorization) -> None:
        """Raises ``Conflict``: one of its codes is taken."""
        ...

    async def find(self, digest: Digest) -> DeviceAuthorization | None:
        """By the digest of its device code."""
        ...

    async def find_asked(self, user_code: Sequence[Digest]) -> DeviceAuthorization | None:
        """By the digest of its user code, which is one of these: as each of the live root secrets makes it."""
        ...

    async def poll(self, digest: Digest, client_id: str, at: datetime) -> DeviceAuthorization | None:
        """Note that its client asks, and give it back as it stands now; None: that client has no such one.

        Where the interval since the poll before is not over, ``hurried`` is set and the interval grows by
        ``SLOW_DOWN_SECONDS``: decided by one statement, so that of many polls at once only one comes in time.
        """
        ...

    async def answer(self, digest: Digest, answer: DeviceAnswer, consequences: Consequences) -> bool:
        """Keep what the person said, once; where that is yes, note the client in the person's session as well.

        False where it has been answered before, or has lapsed: nothing is kept.
        """
        ...

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        """Spend it and open the family that follows, or do neither; of two callers one gets True.

        Neither, too, where the session has ended that the family belongs to: its end would not find the family.
        """
        ...
