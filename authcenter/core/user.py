"""Users: the resource owners that are people."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authcenter.core.ids import Subject

OPERATOR = "operator"
"""The role of people who may use the admin API and the console."""


@dataclass(frozen=True, slots=True)
class User:
    """An account, without its password hash.

    Attributes:
        cut_at: Tokens issued for it up to this instant are refused ('log out everywhere', a password change).
        revision: Rises with every write; a write names the revision it was made from.
        claims: Standard claims (OpenID Connect Core §5.1) other than ``sub``, ``preferred_username``, ``email``,
            ``email_verified`` and ``updated_at``, which the other fields tell.
        reset_required_at: Since when the password does not count until its owner has set another one.
        erased_at: When the person went; what is left names nobody, and the account stays disabled.
    """

    subject: Subject
    username: str
    email: str
    email_verified: bool
    roles: frozenset[str]
    created_at: datetime
    updated_at: datetime
    disabled_at: datetime | None = None
    cut_at: datetime | None = None
    revision: int = 1
    claims: Mapping[str, Any] = field(default_factory=dict)
    reset_required_at: datetime | None = None
    erased_at: datetime | None = None


def name_key(name: str) -> str:
    """The form in which user names and addresses are compared and unique: NFKC, case folded, trimmed.

    Folding may denormalise, so it is done twice around the normalisation (Unicode's ``toNFKC_Casefold``).
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name.strip()).casefold()).casefold()
