"""Passkeys (WebAuthn): what is kept of a key pair whose private half never leaves its owner's devices."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.ids import Subject

MOST_PASSKEYS = 20
"""How many a person can have."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One of a person's passkeys.

    Attributes:
        credential_id: What browsers call it; nobody else's has the same.
        public_key: As COSE writes it (RFC 9052 §7).
        sign_count: How often it has signed, by its own count; 0 where it does not count, as those on several devices.
        transports: How browsers reach it, as they said when it was made.
        aaguid: The model of what holds it, by its own word; all zeros where it does not tell.
        name: What its owner calls it.
        backed_up: Whether it is on more than one device, or can be restored on another.
        revision: How often the row has been written.
    """

    credential_id: bytes
    subject: Subject
    public_key: bytes
    sign_count: int
    transports: tuple[str, ...]
    aaguid: str
    name: str
    backed_up: bool
    created_at: datetime
    used_at: datetime | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Added:
    """What became of adding a passkey.

    Attributes:
        done: Whether it is there.
        codes_kept: Whether the new recovery codes are, too: they are where there were none that could still be used.
    """

    done: bool
    codes_kept: bool = False
