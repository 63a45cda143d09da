"""The newest keys document that was accepted, on disk: what a restart without Consul begins with."""

from dataclasses import dataclass
from pathlib import Path

from authcenter.settings.durable import write_durably
from authcenter.stores.consul.document import MOST_BYTES, DocumentSigner, KeysDocument
from authcenter.stores.ports.keys import KeysRefused

_OWNER_ONLY = 0o600


@dataclass(frozen=True, slots=True)
class KeysCopy:
    """As it was in Consul, private keys encrypted; its own HMAC tells whether it is whole."""

    file: Path
    signer: DocumentSigner

    def keep(self, text: str, generation: int) -> None:
        """Raises ``OSError``; a copy of this generation or a later one stays as it is."""
        try:
            if (held := self.read()) is not None and held.generation >= generation:
                return
        except (OSError, KeysRefused):
            # What cannot be used is replaced.
            held = None
        write_durably(self.file, text, _OWNER_ONLY)

    def read(self) -> KeysDocument | None:
        """The copy, or None where none has been kept. Raises ``OSError`` or ``KeysRefused``."""
        try:
            with self.file.open("rb") as stream:
                # One byte more than there may be, so that a longer one is refused as such.
                written = stream.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return None
        return self.signer.open(written.decode(errors="surrogateescape"))
