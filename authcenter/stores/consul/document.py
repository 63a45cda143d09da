"""The keys document: ``{"mac": …, "document": {issuer, generation, keys, because, writing}}``.

The MAC is over the bytes of ``document`` as they are written, under a secret of its own: whoever may write to Consul,
but has no root secret, can neither make a document nor change one. That an old one is not put back is for the
generation. What the last change has to tell the audit log and whom it cuts off goes along (``because``), so that
whoever reads the document can do that if its writer died.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from authcenter.core.cut import NO_CONSEQUENCES, Consequences
from authcenter.core.derived import MacKeys
from authcenter.core.errors import Conflict
from authcenter.core.ids import uuid7
from authcenter.stores.ports.keys import KeysRefused, StoredKey

LABEL = "keys document"
MOST_BYTES = 512 * 1024
"""Consul takes no larger value."""

_ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----"


@dataclass(frozen=True, slots=True)
class KeysDocument:
    """All keys at one generation.

    Attributes:
        generation: Rises by one with every change; 0: a record that no document has been made of.
        because: The consequences of the change that led to this generation.
        writing: Of two who want the same change, tells whose document it is.
    """

    issuer: str
    generation: int
    keys: Sequence[StoredKey]
    because: Consequences = NO_CONSEQUENCES
    writing: str = ""


class _Signed(msgspec.Struct, forbid_unknown_fields=True):
    mac: str
    document: msgspec.Raw


@dataclass(frozen=True, slots=True)
class DocumentSigner:
    """Writes and reads documents of one issuer; those of another are foreign, also under the same secret."""

    macs: MacKeys
    issuer: str

    def sign(self, generation: int, keys: Sequence[StoredKey], because: Consequences = NO_CONSEQUENCES) -> str:
        """Raises ``Conflict``: Consul would not take it, or a private key is not encrypted."""
        if bare := [key.kid for key in keys if not _is_locked(key)]:
            raise Conflict(f"the private half of {bare[0]} is not encrypted: it does not go to Consul")
        written = msgspec.json.encode(KeysDocument(self.issuer, generation, keys, because, uuid7()))
        signed = msgspec.json.encode(_Signed(self.macs.make(written), msgspec.Raw(written)))
        if len(signed) > MOST_BYTES:
            raise Conflict(f"the keys document would be {len(signed)} bytes long, and Consul takes {MOST_BYTES}")
        return signed.decode()

    def open(self, text: str) -> KeysDocument:
        """Raises ``KeysRefused``."""
        # Bytes that are no text come as surrogates.
        written = text.encode(errors="surrogateescape")
        if len(written) > MOST_BYTES:
            raise KeysRefused(f"it is longer than {MOST_BYTES} bytes")
        try:
            signed = msgspec.json.decode(written, type=_Signed)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise KeysRefused("it is no keys document") from None
        if not self.macs.verify(bytes(signed.document), signed.mac):
            raise KeysRefused("its HMAC is not valid: somebody else made or edited it, or its root secret is gone")
        try:
            document = msgspec.json.decode(signed.document, type=KeysDocument)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise KeysRefused("another version of this program made it") from None
        if document.issuer != self.issuer:
            raise KeysRefused("it is of another issuer")
        if document.generation < 1 or not all(map(_is_locked, document.keys)):
            raise KeysRefused("its generation or a private key is not as it must be")
        return document


def _is_locked(key: StoredKey) -> bool:
    return not key.private_pem or key.private_pem.startswith(_ENCRYPTED)
