"""Second factors: what a person proves beside the password, and what is kept of it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authcenter.core.ids import Subject

CODE_SECONDS = 30
"""How long a one-time code stands (RFC 6238 §4.1): the length of a step."""


class Factor(StrEnum):
    """A kind of second factor."""

    TOTP = "totp"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class TotpSecret:
    """What the one-time codes of a person's app are made from. Each person has one at most.

    Attributes:
        sealed: The secret, sealed for this subject alone.
        confirmed_at: When its owner typed a code of it; before that it counts for nothing.
        last_step: The step (RFC 6238 §4.2) of the newest code that was accepted: none so old is accepted again.
    """

    subject: Subject
    sealed: bytes
    created_at: datetime
    confirmed_at: datetime | None = None
    last_step: int = -1
