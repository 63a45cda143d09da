"""Records as bytes and back: JSON of a declared shape, so that reading builds nothing but that shape."""

from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from authcenter.core.client import Client

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[V]):
    """What the record said of a key.

    Attributes:
        value: None: that there is nothing.
        loaded_at: When it was asked, in Unix seconds.
        fresh_until: Until when that is good enough, in Unix seconds.
    """

    value: V | None
    loaded_at: float
    fresh_until: float


class RecordCodec(Generic[V]):
    """Reads and writes ``Loaded`` values of one shape (a dataclass)."""

    def __init__(self, shape: type[V]) -> None:
        self._reader = msgspec.json.Decoder(tuple[float, float, shape | None])  # type: ignore[valid-type]
        self._writer = msgspec.json.Encoder()

    def write(self, loaded: Loaded[V]) -> bytes:
        return self._writer.encode((loaded.loaded_at, loaded.fresh_until, loaded.value))

    def read(self, written: bytes) -> Loaded[V] | None:
        """None where it is not of this shape: another version of this program may have written it."""
        try:
            loaded_at, fresh_until, value = self._reader.decode(written)
        except msgspec.MsgspecError:
            return None
        return Loaded(value, loaded_at, fresh_until)


def keeps_no_password_hash(client: Client) -> bool:
    """Whether all its secrets are keyed HMACs of random secrets; one brought from outside may be a person's choice."""
    return not any(secret.stored.startswith("$") for secret in client.secrets)
