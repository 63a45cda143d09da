"""What a revocation would hit, counted before it is made: live access tokens, from the rows of their issuance.

The record keeps no access tokens, but the audit log tells of each (``token.issued``) all that a cut goes by.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from authcenter.audit.issued_together import each
from authcenter.core.cut import CutKind, carried_by
from authcenter.core.digest import Digest
from authcenter.core.event import EventKind
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail

MOST_TOKENS = 100_000
"""How many tokens are looked at; beyond that the count is a lower bound."""

_ROWS_AT_ONCE = 500
_ROWS_AT_A_STRETCH = 10
"""Read before others get their turn: of these, each may hold a hundred tokens."""


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """An access token, as the audit log knows it; a ``core.cut.Carrier``.

    Attributes:
        subject: Whose it is here, also where the client knows the person by another one.
        issued_at, expires_at: Unix seconds.
        refreshable: Whether a refresh token went out with it.
    """

    jti: str
    digest: Digest
    family: str
    session: str
    kid: str
    subject: str
    client_id: str
    issued_at: int
    expires_at: int
    refreshable: bool


@dataclass(frozen=True, slots=True)
class BlastRadius:
    """What would be refused that is accepted now.

    Attributes:
        tokens: Live access tokens.
        families: Approvals they belong to; ``refreshable``: of those, the ones that gave out a refresh token.
        subjects: People and clients whose they are.
        clients: How many tokens each client has of them, the most first.
        last_expires_at: When the last of them would have lapsed by itself; None: there is none.
        complete: Whether all tokens were looked at; else there may be more.
    """

    tokens: int
    families: int
    refreshable: int
    subjects: int
    clients: Mapping[str, int] = field(default_factory=dict)
    last_expires_at: datetime | None = None
    complete: bool = True


async def blast_radius(
    kind: CutKind,
    value: str,
    trail: AuditTrail,
    now: datetime,
    *,
    longest: timedelta,
    refused: Callable[[IssuedToken], bool],
    issued_before: datetime | None = None,
    most: int = MOST_TOKENS,
) -> BlastRadius:
    """Count what a cut by ``kind`` of ``value`` would hit.

    Rows of the last moment may not be in the database yet (at most one flush, 50 ms): what is revoked counts, not this.

    Args:
        longest: The longest that an access token can live.
        refused: Whether a token is refused already.
        issued_before: Only what was issued until then.
        most: How many tokens to look at.

    Raises:
        StoreUnavailable: Cannot tell.
    """
    found, complete = list[IssuedToken](), True
    for wanted in _filters(kind, value, now - longest):
        found, complete = await _carriers(kind, value, wanted, trail, most)
        if found:
            break
    up_to = issued_before.timestamp() if issued_before is not None else now.timestamp()
    live = [one for one in found if one.expires_at > now.timestamp() and one.issued_at <= up_to and not refused(one)]
    return _counted({one.jti: one for one in live}.values(), complete=complete)


def issued_token(row: AuditRow) -> IssuedToken | None:
    """The token of a ``token.issued`` row that holds one; None: it is another row, or tells no expiry, or is forged."""
    told = row.told
    if row.event != EventKind.TOKEN_ISSUED or "exp" not in told:
        return None
    try:
        return _issued(row, told)
    except (TypeError, ValueError):
        # Tampered with.
        return None


def _issued(row: AuditRow, told: Mapping[str, Any]) -> IssuedToken:
    return IssuedToken(
        jti=str(told.get("jti", "")),
        digest=Digest(bytes.fromhex(told.get("digest", ""))),
        family=str(told.get("fam", "")),
        session=str(told.get("sid", "")),
        kid=str(told.get("kid", "")),
        subject=row.subject,
        client_id=row.client_id,
        issued_at=int(told.get("iat", 0)),
        expires_at=int(told["exp"]),
        refreshable=bool(told.get("refresh")),
    )


def _filters(kind: CutKind, value: str, since: datetime) -> Sequence[AuditFilter]:
    """Where to look, the narrowest first; the next one counts where there was nothing."""
    # The clock of the machine that issued may have been a little behind.
    begins = (since - timedelta(minutes=5)).astimezone(UTC).isoformat(timespec="microseconds")
    all_of_them = AuditFilter(event=EventKind.TOKEN_ISSUED, since=begins)
    match kind:
        case CutKind.CLIENT:
            return (AuditFilter(event=EventKind.TOKEN_ISSUED, since=begins, client_id=value),)
        case CutKind.SUBJECT:
            return (AuditFilter(event=EventKind.TOKEN_ISSUED, since=begins, person=value),)
        case CutKind.FAMILY:
            # Rows of clients' own tokens cannot be looked up by it.
            return (AuditFilter(event=EventKind.TOKEN_ISSUED, since=begins, family=value), all_of_them)
        case _:
            return (all_of_them,)


async def _carriers(
    kind: CutKind, value: str, wanted: AuditFilter, trail: AuditTrail, most: int
) -> tuple[list[IssuedToken], bool]:
    """The tokens under that cut among the newest rows, and whether those are all there are."""
    found, left, older = list[IssuedToken](), most, None
    while True:
        page = await trail.find(wanted, min(_ROWS_AT_ONCE, left), older)
        for number, row in enumerate(page.rows, 1):
            if number % _ROWS_AT_A_STRETCH == 0:
                await asyncio.sleep(0)
            rows = each(row)
            tokens = (token for one in rows[:left] if (token := issued_token(one)) is not None)
            found += [token for token in tokens if (kind, value) in carried_by(token)]
            if len(rows) > left or (len(rows) == left and (number < len(page.rows) or page.older is not None)):
                return found, False
            left -= len(rows)
        older = page.older
        if older is None:
            return found, True


def _counted(live: Iterable[IssuedToken], *, complete: bool) -> BlastRadius:
    tokens = list(live)
    last = max((one.expires_at for one in tokens), default=None)
    return BlastRadius(
        tokens=len(tokens),
        families=len({one.family for one in tokens}),
        refreshable=len({one.family for one in tokens if one.refreshable}),
        subjects=len({one.subject for one in tokens}),
        clients=dict(Counter(one.client_id for one in tokens).most_common()),
        last_expires_at=datetime.fromtimestamp(last, UTC) if last is not None else None,
        complete=complete,
    )
