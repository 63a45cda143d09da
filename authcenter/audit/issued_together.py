"""One row for the tokens that a client got for itself within one flush: a row each would cost more than the tokens.

What the tokens share is said once, in the row and at the top of its context; under ``tokens`` stands what each has of
its own. Tokens of people keep rows of their own: those are erased one person at a time.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId, milliseconds_of_uuid7, uuid7_at
from authcenter.core.origin import RequestOrigin
from authcenter.core.value import Value
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter
from authcenter.stores.ports.neighbourhood import SPREAD_MILLISECONDS

TOKENS = "tokens"
"""The member of the context that holds what each token has of its own."""

MOST_TOKENS = 100
"""How many a row holds: who reads many rows at once reads in parts that fit."""

_REQUEST = "request"
_ENCODER = msgspec.json.Encoder()


class Shared(Value, frozen=True):
    """What tokens of one row have in common: who asked, from where, and what for."""

    client_id: str
    ip: str
    user_agent: str
    kid: str
    audience: str | tuple[str, ...]
    scope: str | None
    checks: str

    @property
    def context(self) -> dict[str, Any]:
        told = {"kid": self.kid, "aud": self.audience, "scope": self.scope, "checks": self.checks}
        return {name: value for name, value in told.items() if value or name in ("kid", "aud")}


class OwnToken(Value, frozen=True):
    """What one of them has of its own, in the words of its row, and in their order."""

    digest: str
    exp: int
    fam: str
    iat: int
    jti: str
    request: str


class Dated(NamedTuple):
    """What is to be written. ``times``: how often it happened."""

    at: datetime
    event: Event
    times: int = 1


@dataclass(slots=True)
class _Group:
    """Tokens of one row in the making, as the row tells them: what is held on to until it is written keeps the memory
    of requests from being used again, which costs those that follow more than the telling.

    Attributes:
        begins, ends: The request ids between which others may lie.
        first: The least of those there are.
    """

    at: datetime
    shared: Shared
    begins: str
    ends: str
    first: str
    number: int = 0
    told: bytearray = field(default_factory=bytearray)

    def takes(self, token: OwnToken) -> bool:
        """Add it, if it belongs here."""
        request = token.request
        if self.number == MOST_TOKENS or (self.number and not self.begins <= request <= self.ends):
            return False
        _ENCODER.encode_into(token, self.told, -1)
        self.told += b","
        if request < self.first:  # noqa: PLR1730 - a call of min is a fifth of what this method costs
            self.first = request
        self.number += 1
        return True

    def dated(self) -> Dated:
        """The event of its row."""
        shared, context = self.shared, self.shared.context
        tokens = b"[" + self.told[:-1] + b"]"
        if self.number == 1:
            (own,) = msgspec.json.decode(tokens)
            del own[_REQUEST]
            context |= own
        else:
            context[TOKENS] = msgspec.Raw(tokens)
        # The first of them: by it and the clock the row is found of each (``stores.ports.neighbourhood``).
        origin = RequestOrigin(RequestId(self.first), shared.ip, shared.user_agent)
        client_id = shared.client_id
        event = Event(EventKind.TOKEN_ISSUED, client_id, client_id, client_id, origin, context)
        return Dated(self.at, event, self.number)


class Unwritten:
    """What happened and is not written yet, tokens that are alike in the place of the first of them.

    Attributes:
        rows: What makes each row's event, in their order.
        number: Of events, each token one.
    """

    __slots__ = ("_groups", "number", "rows")

    def __init__(self) -> None:
        self.number = 0
        self.rows: list[Callable[[], Dated]] = []
        self._groups: dict[Shared, _Group] = {}

    def event(self, event: Callable[[], Event], at: datetime) -> None:
        """Add what makes an event when its row is written."""
        self.rows.append(lambda: Dated(at, event()))
        self.number += 1

    def token(self, shared: Shared, token: OwnToken, at: datetime) -> None:
        """Add a token that a client got for itself."""
        group = self._groups.get(shared)
        if group is None or not group.takes(token):
            self._groups[shared] = group = _Group(at, shared, *_reach(token.request), token.request)
            self.rows.append(group.dated)
            group.takes(token)
        self.number += 1


def each(row: AuditRow) -> Sequence[AuditRow]:
    """``row`` as if each of its tokens had one of its own; any other as it is."""
    # Before it is read: of most rows a glance tells.
    if row.event != EventKind.TOKEN_ISSUED or f'"{TOKENS}"' not in row.context:
        return (row,)
    shared = row.told
    tokens = shared.pop(TOKENS, None)
    if not isinstance(tokens, list):
        return (row,)
    return [_alone(row, shared, dict(one)) for one in tokens if isinstance(one, dict)]


def as_wanted(rows: Sequence[AuditRow], wanted: AuditFilter) -> Sequence[AuditRow]:
    """``rows`` that were found: where a request or a token was looked for, of that alone; else as they are."""
    if not wanted.request_id and not wanted.jti:
        return rows
    return [
        one
        for row in rows
        for one in each(row)
        if wanted.request_id in ("", one.request_id) and wanted.jti in ("", one.jti)
    ]


def _alone(row: AuditRow, shared: dict[str, Any], own: dict[str, Any]) -> AuditRow:
    request_id = str(own.pop(_REQUEST, ""))
    context = json.dumps(own | shared, separators=(",", ":"), sort_keys=True)
    return replace(row, request_id=request_id, jti=str(own.get("jti", "")), context=context)


def _reach(request_id: str) -> tuple[str, str]:
    made = milliseconds_of_uuid7(request_id)
    if made is None:
        # It would not be found among others.
        return "", ""
    half = SPREAD_MILLISECONDS // 2
    return uuid7_at(made - half), uuid7_at(made + half)
