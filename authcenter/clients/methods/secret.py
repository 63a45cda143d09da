"""Client secrets (RFC 6749 §2.3.1): made here and kept as HMAC, or brought from outside and kept as argon2id.

The server's own are 256 random bits, so a keyed HMAC protects them at rest and costs microseconds; a slow hash would
make a password-hashing service of the token endpoint.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from authcenter.core.client import Client, ClientSecret
from authcenter.core.derived import MacKeys
from authcenter.core.secret import Secret

_SECRET_BYTES = 32
_HMAC_PREFIX = "hmac-sha256$"
_DUMMY = ClientSecret(_HMAC_PREFIX + "00000000." + "0" * 64, datetime.min)  # noqa: DTZ901 - never compared


class SlowHashes(Protocol):
    """Verifies hashes that were made elsewhere."""

    async def verify(self, password: str, stored: str) -> bool: ...


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """Makes and verifies client secrets."""

    macs: MacKeys
    slow_hashes: SlowHashes

    def make(self, at: datetime) -> tuple[Secret, ClientSecret]:
        """A new secret: what the client gets, once, and what is stored."""
        value = secrets.token_urlsafe(_SECRET_BYTES)
        return Secret(value), ClientSecret(_HMAC_PREFIX + self.macs.make(value.encode()), at)

    def take_long(self, client: Client | None) -> bool:
        """Whether to verify one of the client's secrets keeps whoever asks waiting."""
        return client is not None and not all(secret.stored.startswith(_HMAC_PREFIX) for secret in client.secrets)

    async def verify(self, client: Client | None, presented: str) -> bool:
        """Whether ``presented`` is one of the client's live secrets. All are compared, whichever fits; an unknown
        client costs the same.

        Raises:
            Overloaded: The pool for slow hashes is full.
        """
        fits = False
        for secret in client.secrets if client else (_DUMMY,):
            if secret.stored.startswith(_HMAC_PREFIX):
                fits |= self.macs.verify(presented.encode(), secret.stored.removeprefix(_HMAC_PREFIX))
            else:
                fits |= await self.slow_hashes.verify(presented, secret.stored)
        return fits
