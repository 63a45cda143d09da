"""Where policies are kept and written: the port that the file and Consul fill for whoever pushes."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Protocol, Self

KEPT_VERSIONS = 20


@dataclass(frozen=True, slots=True)
class Held:
    """The document that is held now. ``mark``: by which the store knows whether it still is."""

    text: str
    mark: int | str


@dataclass(frozen=True, slots=True)
class KeptVersion:
    """A document that was pushed once. ``pushed_at``: ISO 8601, UTC; empty where it came by another way."""

    version: str
    pushed_at: str
    actor: str
    text: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, written: str | bytes) -> Self | None:
        """None where it is no version; somebody else's file must not stop a push."""
        try:
            fields = json.loads(written)
            return cls(**{name: str(fields[name]) for name in ("version", "pushed_at", "actor", "text")})
        except (ValueError, KeyError, TypeError):
            return None


class PolicyStore(Protocol):
    """One place that holds the policy document and the last ``KEPT_VERSIONS`` that were pushed."""

    @property
    def name(self) -> str:
        """A short word, as ``PolicySource.name``."""
        ...

    async def held(self) -> Held | None:
        """The document; None where there is none. Raises ``Unavailable`` or ``OSError``."""
        ...

    async def replace(self, over: Held | None, new: KeptVersion) -> bool:
        """Put ``new`` in the place of ``over`` and keep it, or do neither: False where ``over`` is held no more."""
        ...

    async def keep(self, version: KeptVersion) -> None:
        """Keep a version, as the newest; the oldest beyond the limit go."""
        ...

    async def versions(self) -> Sequence[KeptVersion]:
        """What is kept, the newest first."""
        ...


OpenStore = Callable[[], AbstractAsyncContextManager[PolicyStore]]
"""Opens the place that all instances follow."""
