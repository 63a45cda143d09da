"""``/console/audit``: the audit log, searched; and one row of it, whole."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from authcenter.audit.issued_together import TOKENS, as_wanted
from authcenter.core.clock import Clock
from authcenter.core.errors import NotFound
from authcenter.core.event import EventKind
from authcenter.core.form import Form
from authcenter.core.value import Value
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked, instant_asked
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import AuditFilter, AuditTrail, Page

PATH = "/console/audit"
FIELDS = ("client", "person", "request", "family", "jti", "ip", "since", "until")
"""What rows can be found by beside the event, as the query names it."""

_MOST = 50
_LONGEST_CONTEXT = 160


class RowCard(Value, frozen=True):
    """A row in short. ``whole``: the query that shows it whole."""

    at: str
    event: str
    who: str
    context: str
    whole: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Finds rows, the newest first; shows one."""

    console: Console
    trail: AuditTrail
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        query = visit.query
        if writer := asked(query, "row"):
            return await self._one(visit, operator, writer, asked(query, "sequence"))
        wanted = self._wanted(query)
        page = await self.trail.find(wanted, _MOST, _place(query))
        typed = {name: asked(query, name) for name in ("event", *FIELDS)}
        return self.console.show(
            visit,
            operator,
            "audit",
            "console_audit.html",
            fields=FIELDS,
            typed=typed,
            events=sorted(EventKind),
            cards=[_card(row) for row in as_wanted(page.rows, wanted)],
            older=_older(typed, page),
        )

    async def _one(self, visit: Visit, operator: Operator, writer: str, sequence: str) -> Answer:
        number = int(sequence) if sequence.isascii() and sequence.isdecimal() and len(sequence) < 16 else 0
        rows = await self.trail.chain(writer, number - 1, 1) if number else ()
        if not rows or rows[0].sequence != number:
            raise NotFound("there is no such row, or an archive has it")
        fields: dict[str, Any] = asdict(rows[0])
        fields.pop("context")
        context = json.dumps(rows[0].told, indent=2, ensure_ascii=False)
        return self.console.show(
            visit, operator, "audit", "console_audit_row.html", row=rows[0], fields=fields, context=context
        )

    def _wanted(self, query: Form) -> AuditFilter:
        now = self.clock.now()
        return AuditFilter(
            event=asked(query, "event"),
            client_id=asked(query, "client"),
            person=asked(query, "person"),
            request_id=asked(query, "request"),
            family=asked(query, "family"),
            jti=asked(query, "jti"),
            ip=asked(query, "ip"),
            since=_written(instant_asked(query, "since", now)),
            until=_written(instant_asked(query, "until", now)),
        )


def _written(instant: datetime | None) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds") if instant is not None else ""


def _place(query: Form) -> tuple[str, str, int] | None:
    """Where a page begins that another one led to."""
    at, writer, sequence = (asked(query, name) for name in ("older_at", "older_writer", "older_sequence"))
    if not at or not sequence.isascii() or not sequence.isdecimal() or len(sequence) > 15:
        return None
    return at, writer, int(sequence)


def _older(typed: dict[str, str], page: Page) -> str:
    """The query of the next page; empty: there is none."""
    if page.older is None:
        return ""
    at, writer, sequence = page.older
    kept = {name: value for name, value in typed.items() if value}
    return urlencode({**kept, "older_at": at, "older_writer": writer, "older_sequence": sequence})


def _card(row: AuditRow) -> RowCard:
    context = row.told
    told = ", ".join(f"{name} {_told(name, value)}" for name, value in context.items() if name != "checks")
    subject = row.subject if row.subject != row.actor else ""
    return RowCard(
        at=f"{row.occurred_at[:19].replace('T', ' ')} UTC",
        event=row.event,
        who=" · ".join(filter(None, (row.actor, subject, row.client_id if row.client_id != row.actor else "", row.ip))),
        context=told if len(told) <= _LONGEST_CONTEXT else f"{told[: _LONGEST_CONTEXT - 1]}…",
        whole=urlencode({"row": row.writer, "sequence": row.sequence}),
    )


def _told(name: str, value: Any) -> Any:
    # Each of them: whoever opens the row.
    return len(value) if name == TOKENS and isinstance(value, list) else value
