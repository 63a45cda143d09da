"""Signing keys at rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.errors import Unavailable
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
class SettledKeys:
    """What the record has of the keys that are kept in Consul. ``generation`` 0: no document was ever settled."""

    generation: int
    keys: Sequence[StoredKey]


class KeysSettlement(Protocol):
    """The record's part where the keys are in Consul: the newest generation it knows, and a copy of its keys."""

    async def settled(self) -> SettledKeys: ...

    async def settle(self, generation: int, keys: Sequence[StoredKey], consequences: Consequences) -> bool:
        """Keep keys, generation and consequences in one transaction; False where that generation is settled already.

        Keys that the record has beyond ``keys`` stay.
        """
        ...


class KeysRefused(Unavailable):
    """The document that Consul holds must not be used; the hint says why and holds nothing of it."""

    def __str__(self) -> str:
        return f"the keys document in Consul is refused: {self.hint}; `authcenter keys restore` puts the last good back"


class FollowedKeys(Protocol):
    """Keys in a place that tells of each change by itself.

    Attributes:
        followed: Whether somebody passes on what the place tells; ``list_keys`` then asks nobody.
        copy_problem: Why the copy on this machine is not used; empty: nothing is the matter.
    """

    followed: bool
    copy_problem: str

    @property
    def behind(self) -> bool:
        """Whether there is something left for ``settle``, as far as this process knows."""
        ...

    @property
    def newest(self) -> tuple[int, str] | None:
        """The newest document that was accepted, with its generation."""
        ...

    async def offer(self, text: str) -> None:
        """Use the document from now on. Raises ``KeysRefused``: the last good one stays; ``StoreUnavailable``."""
        ...

    async def refresh(self) -> None:
        """Ask the place, and the record where that does not help. Raises ``StoreUnavailable``: cannot tell."""
        ...

    async def settle(self) -> bool:
        """Do what a change owes to the record, and give the place its document where it has none; True: it has now.

        Raises ``Unavailable``: try again.
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
