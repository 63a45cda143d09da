"""One row for the tokens that a client got for itself within one flush: a row each would cost more than the tokens.

What the tokens share is said once, in the row and at the top of its context; under ``tokens`` stands what each has of
its own. Tokens of people keep rows of their own: those are erased one person at a time.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

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


class Shared(NamedTuple):
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
    """What one of them has of its own, in the words of its row."""

    jti: str
    digest: str
    fam: str
    iat: int
    exp: int
    request: str

    @property
    def context(self) -> dict[str, Any]:
        return {"jti": self.jti, "digest": self.digest, "fam": self.fam, "iat": self.iat, "exp": self.exp}


IssuedToClient = tuple[Shared, OwnToken]


class Dated(NamedTuple):
    """What is to be written. ``times``: how often it happened."""

    at: datetime
    event: Event
    times: int = 1


@dataclass(slots=True)
class _Group:
    """Tokens of one row in the making. ``begins``, ``ends``: the request ids between which others may lie."""

    at: datetime
    shared: Shared
    begins: str
    ends: str
    tokens: list[OwnToken]


def together(recorded: Iterable[tuple[datetime, Event | IssuedToClient]]) -> Sequence[Dated]:
    """What is to be written of all that was recorded, in its order, tokens that are alike in the place of the first."""
    written = list[Dated | _Group]()
    groups = dict[Shared, _Group]()
    for at, one in recorded:
        if isinstance(one, Event):
            written.append(Dated(at, one))
            continue
        shared, token = one
        group = groups.get(shared)
        if group is None or len(group.tokens) == MOST_TOKENS or not group.begins <= token.request <= group.ends:
            groups[shared] = group = _Group(at, shared, *_reach(token.request), [])
            written.append(group)
        group.tokens.append(token)
    return [_written(one) if isinstance(one, _Group) else one for one in written]


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


def _written(group: _Group) -> Dated:
    shared, tokens = group.shared, group.tokens
    context = shared.context | (tokens[0].context if len(tokens) == 1 else {TOKENS: tokens})
    # The first of them: by it and the clock the row is found of each (``stores.ports.neighbourhood``).
    first = RequestId(min(token.request for token in tokens))
    origin = RequestOrigin(first, shared.ip, shared.user_agent)
    client_id = shared.client_id
    event = Event(EventKind.TOKEN_ISSUED, client_id, client_id, client_id, origin, context)
    return Dated(group.at, event, len(tokens))
