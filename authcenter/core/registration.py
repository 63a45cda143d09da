"""Initial access tokens (RFC 7591 §3): what lets somebody register clients where not everybody may."""

from dataclasses import dataclass
from datetime import datetime

from authcenter.core.digest import Digest

INITIAL_TOKEN_PREFIX = "aci_"
REGISTRATION_TOKEN_PREFIX = "acg_"


@dataclass(frozen=True, slots=True)
class InitialAccessToken:
    """One initial access token, known by digest only.

    Attributes:
        uses_left: How many clients may still be registered with it.
    """

    token_id: str
    digest: Digest
    created_at: datetime
    created_by: str
    expires_at: datetime
    uses_left: int
