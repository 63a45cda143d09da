"""Cuts: refusing more than one token at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from authcenter.core.digest import Digest
from authcenter.core.event import Event
from authcenter.core.job import Job

LIFTED_CUT_LASTS = timedelta(days=2)
"""How long a lifted cut goes on refusing what was issued until it was lifted: longer than any access token can live."""

CUT_OUTLIVES_TOKENS_BY = timedelta(hours=1)
"""The database rounds its own clock up to the second, its clock is not this machine's, and verifiers grant a leeway
beyond a token's expiry."""


class CutKind(StrEnum):
    """What a cut goes by; the claim a token carries it in."""

    JTI = "jti"
    FAMILY = "fam"
    SESSION = "sid"
    KEY = "kid"
    SUBJECT = "sub"
    CLIENT = "client_id"
    EVERYTHING = "everything"


@dataclass(frozen=True, slots=True)
class Cut:
    """Refuses whatever carries ``value``.

    Attributes:
        up_to: Refused is what was issued up to this instant (``iat <= up_to``); None: whatever its ``iat``.
        until_now: Set ``up_to`` to the database's clock as the cut is written, rounded up to the second.
        expires_at: When nothing that it refuses can be alive any more; None: while it stands.
    """

    kind: CutKind
    value: str
    reason: str
    up_to: datetime | None = None
    until_now: bool = False
    expires_at: datetime | None = None


class Carrier(Protocol):
    """Whatever cuts can refuse: a token, or what is kept of one."""

    @property
    def jti(self) -> str: ...

    @property
    def family(self) -> str: ...

    @property
    def session(self) -> str: ...

    @property
    def kid(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def client_id(self) -> str: ...


def carried_by(carrier: Carrier) -> tuple[tuple[CutKind, str], ...]:
    """All that a cut may refuse it by."""
    return (
        (CutKind.FAMILY, carrier.family),
        (CutKind.JTI, carrier.jti),
        (CutKind.SUBJECT, carrier.subject),
        (CutKind.CLIENT, carrier.client_id),
        (CutKind.SESSION, carrier.session),
        (CutKind.KEY, carrier.kid),
        (CutKind.EVERYTHING, ""),
    )


@dataclass(frozen=True, slots=True)
class RevokedToken:
    """One revoked access token (RFC 7009)."""

    digest: Digest
    jti: str
    family: str
    client_id: str
    subject: str
    reason: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Consequences:
    """What a write commits in its own transaction beside its row.

    Attributes:
        events: What the audit log says of it.
        cuts: What it cuts off.
        lifts: Cuts without an instant that it takes back: they go on refusing what was issued until now.
        jobs: What is to be done once it is kept.
    """

    events: Sequence[Event] = ()
    cuts: Sequence[Cut] = ()
    lifts: Sequence[tuple[CutKind, str]] = ()
    jobs: Sequence[Job] = ()


NO_CONSEQUENCES = Consequences()
