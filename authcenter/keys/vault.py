"""Private keys at rest: PKCS#8, encrypted with a passphrase (RFC 5958, PBES2)."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from authcenter.jose.algorithms import PrivateKey


@dataclass(frozen=True, slots=True, repr=False)
class KeyVault:
    """Locks private keys with the first passphrase, opens them with any."""

    passphrases: Sequence[bytes]

    def lock(self, private: PrivateKey) -> str:
        encryption = BestAvailableEncryption(self.passphrases[0])
        pem: bytes = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
        return pem.decode("ascii")

    def open(self, pem: str) -> PrivateKey | None:
        """The private key, or None where no passphrase opens it or the text is no key."""
        for passphrase in self.passphrases:
            try:
                return load_pem_private_key(pem.encode(), passphrase)
            except (ValueError, TypeError):
                continue
        return None
