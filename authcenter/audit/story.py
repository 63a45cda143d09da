"""Why a request was refused, or granted: its checks, the likely cause, what the log knows of it, the remedy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authcenter.audit.evidence import evidence_of
from authcenter.audit.issued_together import as_wanted
from authcenter.core.event import EventKind
from authcenter.core.explanations import EXPLANATIONS
from authcenter.core.rules import Rule
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail
from authcenter.stores.ports.request_traces import RequestTrace, RequestTraces

_MOST_ROWS = 50


@dataclass(frozen=True, slots=True)
class CheckTold:
    """One check.

    Attributes:
        facts: What was expected and what came; marks instead of secrets.
    """

    name: str
    passed: bool
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Story:
    """One request, explained.

    Attributes:
        at: ISO 8601, UTC.
        status: The answer's; 0: of a token that was issued, whose row does not say.
        rule: That refused; empty: none did.
        hint: What the rule said at that moment.
        cause, remedy: What it means and what to do, in words for operators.
        evidence: What else the log knows of it.
        events: What the audit log recorded of this request, as ``event: context``.
    """

    request_id: str
    at: str
    method: str
    route: str
    status: int
    client_id: str
    ip: str
    user_agent: str
    rule: str
    hint: str
    cause: str
    remedy: str
    checks: Sequence[CheckTold] = field(default_factory=tuple)
    evidence: Sequence[str] = field(default_factory=tuple)
    events: Sequence[str] = field(default_factory=tuple)

    @property
    def granted(self) -> bool:
        return not self.rule


async def tell(request_id: str, traces: RequestTraces, trail: AuditTrail) -> Story | None:
    """The story of a request; None: nobody knows it, or not any more.

    Raises:
        StoreUnavailable: Cannot tell.
    """
    trace = await traces.get(request_id)
    wanted = AuditFilter(request_id=request_id)
    rows = as_wanted((await trail.find(wanted, _MOST_ROWS)).rows, wanted)
    if trace is not None:
        return await _of_trace(trace, rows, trail)
    return await _of_rows(request_id, rows, trail) if rows else None


async def _of_trace(trace: RequestTrace, rows: Sequence[AuditRow], trail: AuditTrail) -> Story:
    checks = _checks(json.loads(trace.checks))
    explained = EXPLANATIONS.get(Rule(trace.rule)) if trace.rule in set(Rule) else None
    return Story(
        request_id=trace.request_id,
        at=trace.at.isoformat(),
        method=trace.method,
        route=trace.route,
        status=trace.status,
        client_id=trace.client_id,
        ip=trace.ip,
        user_agent=trace.user_agent,
        rule=trace.rule,
        hint=trace.hint,
        cause=explained.cause if explained else "",
        remedy=explained.remedy if explained else "",
        checks=checks,
        evidence=await evidence_of(trace, {check.name: check.facts for check in checks}, trail),
        events=_events(rows),
    )


async def _of_rows(request_id: str, rows: Sequence[AuditRow], trail: AuditTrail) -> Story:
    """What was granted leaves its checks in the row of what was issued; of some refusals the log knows even where the
    trace was lost, or is on its way."""
    refused = next((row for row in rows if _rule_of(row)), None)
    if refused is not None:
        return await _of_trace(_trace_of(refused), rows, trail)
    first = rows[-1]
    names = str(next((found for row in rows if (found := row.told.get("checks"))), ""))
    return Story(
        request_id=request_id,
        at=first.occurred_at,
        method="",
        route="",
        status=0,
        client_id=first.client_id,
        ip=first.ip,
        user_agent=first.user_agent,
        rule="",
        hint="",
        cause="",
        remedy="",
        checks=[CheckTold(name, True, {}) for name in names.split()],
        events=_events(rows),
    )


_REFUSALS: Mapping[str, Rule] = {
    EventKind.CODE_REPLAYED: Rule.CODE_REPLAYED,
    EventKind.REFRESH_REPLAYED: Rule.REFRESH_REPLAYED,
}


def _rule_of(row: AuditRow) -> str:
    """By which rule the request was refused that the row is about; empty: the row does not say that it was."""
    if row.event == EventKind.SIGN_IN_REFUSED:
        return str(row.told.get("rule", ""))
    return _REFUSALS.get(row.event, "")


def _trace_of(row: AuditRow) -> RequestTrace:
    context = row.told
    rule, at = _rule_of(row), datetime.fromisoformat(row.occurred_at)
    facts = {name: value for name, value in (("family", row.family), ("subject", row.subject)) if value}
    return RequestTrace(
        request_id=row.request_id,
        at=at,
        method="",
        route="",
        status=0,
        client_id=row.client_id,
        ip=row.ip,
        user_agent=row.user_agent,
        rule=rule,
        hint=str(context.get("reason", "")),
        checks=json.dumps([(rule, False, facts)]),
        expires_at=at,
    )


def _checks(told: Sequence[Any]) -> list[CheckTold]:
    return [CheckTold(name, held, facts) for name, held, facts in told]


def _events(rows: Sequence[AuditRow]) -> list[str]:
    return [f"{row.event}: {_context(row)}" for row in reversed(rows)]


def _context(row: AuditRow) -> str:
    context = row.told
    return ", ".join(f"{name} {value}" for name, value in context.items() if name != "checks") or "-"
