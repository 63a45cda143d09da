"""Signing keys at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.ids import Kid


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A signing key as it is stored. Its place in the ring follows from its instants.

    Attributes:
        alg: The one algorithm it is bound to.
        public_jwk: As published.
        private_pem: PKCS#8, encrypted with the passphrase; empty once nothing may be signed with it any more.
        signs_from: When it begins to sign; until then it is only published.
        retired_at: Verifies only, from here on, though no successor has taken its place.
    """

    kid: Kid
    alg: str
    public_jwk: Mapping[str, str]
    private_pem: str
    created_at: datetime
    signs_from: datetime
    retired_at: datetime | None = None
    revoked_at: datetime | None = None


class SigningKeyStore(Protocol):
    """All signing keys of this issuer, dropped ones too."""

    async def list_keys(self) -> Sequence[StoredKey]: ...

    async def add(self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES) -> None: ...

    async def succeed(
        self, key: StoredKey, predecessor: Kid | None, consequences: Consequences = NO_CONSEQUENCES
    ) -> bool:
        """Add ``key`` where ``predecessor`` is still the last in line of its algorithm; of two callers one gets True.

        The last in line is, of those neither retired nor revoked, the one with the highest (``signs_from``,
        ``created_at``, ``kid``). ``predecessor`` None: where there is no such key.
        """
        ...

    async def replace(
        self, key: StoredKey, consequences: Consequences = NO_CONSEQUENCES, *, successor: StoredKey | None = None
    ) -> bool:
        """End the life of ``key`` as it says and, in the same transaction, add ``successor``.

        Written are ``retired_at`` where there is none, ``revoked_at``, and the end of the private half where ``key``
        has none: whatever else has been written since ``key`` was read stays. False where it is gone or revoked.
        """
        ...

    async def relock(self, kid: Kid, before: str, after: str, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Keep the private half encrypted as ``after``; False where it is not ``before`` any more.

        Whatever else has been written since ``before`` was read stays.
        """
        ...

    async def drop(self, kid: Kid, ceased_at: datetime, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Destroy the private half of a key, and keep ``ceased_at`` as ``retired_at`` where there is none.

        False where there is no private half: of two callers one gets True.
        """
        ...


@dataclass(frozen=True, slots=True)
class RotationPause:
    """Rotation by policy stands still.

    Attributes:
        until: When it goes on by itself; None: once somebody says so.
        by: Who paused it.
    """

    since: datetime
    until: datetime | None
    by: str


class RotationPauses(Protocol):
    """The one pause that stands, or none."""

    async def find(self) -> RotationPause | None: ...

    async def put(self, pause: RotationPause | None, consequences: Consequences = NO_CONSEQUENCES) -> bool:
        """Pause, instead of what stood before, or end the pause; False where there was none to end."""
        ...
