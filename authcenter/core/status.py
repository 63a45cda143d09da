"""What is known of an access token's place in a status list (draft-ietf-oauth-status-list)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list of the tokens that expire within one window.

    Attributes:
        begins_at, lapses_at: A token in it expires not before the one, and before the other.
    """

    list_id: str
    begins_at: datetime
    lapses_at: datetime


@dataclass(frozen=True, slots=True)
class IndexBlock:
    """Numbers of one list that belong to whoever took them, and to nobody else ever.

    Attributes:
        key: That of the list: which place each number stands for is drawn under it.
    """

    list_id: str
    key: bytes
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """Which token a place belongs to, and all that a revocation may name it by.

    Attributes:
        index: The place.
        issued_at: The token's ``iat``.
    """

    list_id: str
    index: int
    jti: str
    family: str
    subject: str
    client_id: str
    session: str
    kid: str
    issued_at: datetime
