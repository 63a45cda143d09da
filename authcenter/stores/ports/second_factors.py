"""Second factors at rest. Whatever may be done once is one statement that answers whether it was."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import Consequences
from authcenter.core.second_factor import Factor, TotpSecret


class TotpStore(Protocol):
    """The secrets of one-time codes, sealed."""

    async def find(self, subject: str) -> TotpSecret | None: ...

    async def put(self, totp: TotpSecret) -> bool:
        """Begin an enrolment, in place of one that was not finished; False where there is a confirmed secret."""
        ...

    async def confirm(
        self, held: TotpSecret, step: int, at: datetime, codes: Sequence[str], consequences: Consequences
    ) -> bool:
        """End the enrolment of ``held``, spend the step it was confirmed by, and keep the MACs of new recovery codes.

        False where it has been confirmed, or another enrolment begun, meanwhile.
        """
        ...

    async def spend(self, held: TotpSecret, step: int, sealed: bytes) -> bool:
        """Spend ``step`` and all before it; False where that has been done, or ``held`` no longer counts.

        Args:
            sealed: The same secret, as it is kept from now on.
        """
        ...

    async def remove(self, subject: str, consequences: Consequences) -> bool:
        """Remove a confirmed secret, and the recovery codes where no other factor is left; False: there is none."""
        ...


class RecoveryCodeStore(Protocol):
    """Recovery codes, known by their MACs only."""

    async def unspent(self, subject: str) -> Sequence[str]:
        """The MACs of those that can still be used."""
        ...

    async def replace(self, subject: str, codes: Sequence[str], at: datetime, consequences: Consequences) -> bool:
        """Put ``codes`` in the place of all there were; False where the subject has no factor to stand in for."""
        ...

    async def spend(self, subject: str, code: str, at: datetime, consequences: Consequences) -> bool:
        """Use one; False where it has been used, or is not among them."""
        ...


class FactorStore(Protocol):
    """The second factors of a person, of every kind."""

    async def factors_of(self, subject: str) -> frozenset[Factor]:
        """The kinds that count: confirmed secrets, and passkeys."""
        ...

    async def end_all(self, subject: str, consequences: Consequences) -> bool:
        """Remove every one, with the recovery codes and what was begun; False where there was nothing."""
        ...
