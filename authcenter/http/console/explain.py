"""``/console/explain``: why a request was refused, found by its id, or by client, rule and time."""

from dataclasses import dataclass
from datetime import timedelta

from authcenter.audit.story import tell
from authcenter.core.clock import Clock
from authcenter.core.form import Form
from authcenter.http.console.guard import Console, Operator
from authcenter.http.console.typed import asked
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from authcenter.http.router import Router
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.stores.ports.request_traces import RequestTraces, TraceFilter

PATH = "/console/explain"
HOURS = ("1", "24", "168")
"""How far back to look."""

_MOST = 50


@dataclass(frozen=True, slots=True)
class ExplainPage:
    """The story of a request, and the way to it."""

    console: Console
    traces: RequestTraces
    trail: AuditTrail
    clock: Clock

    def mount(self, router: Router) -> None:
        self.console.mount(router, PATH, self.get)

    async def get(self, visit: Visit, operator: Operator) -> Answer:
        if request_id := asked(visit.query, "request"):
            return await self._story(visit, operator, request_id)
        wanted, searched = self._wanted(visit.query), visit.query.get("hours") is not None
        return self.console.show(
            visit,
            operator,
            "explain",
            "console_explain.html",
            hours=HOURS,
            chosen=_hours(visit.query),
            wanted=wanted,
            searched=searched,
            found=await self.traces.find(wanted, _MOST) if searched else (),
        )

    async def _story(self, visit: Visit, operator: Operator, request_id: str) -> Answer:
        story = await tell(request_id, self.traces, self.trail)
        return self.console.show(visit, operator, "explain", "console_story.html", request=request_id, story=story)

    def _wanted(self, query: Form) -> TraceFilter:
        return TraceFilter(
            client_id=asked(query, "client"),
            rule=asked(query, "rule"),
            ip=asked(query, "ip"),
            refused=query.get("refused") is not None,
            since=self.clock.now() - timedelta(hours=int(_hours(query))),
        )


def _hours(query: Form) -> str:
    hours = query.get("hours")
    return hours if hours in HOURS else HOURS[0]
