"""``/admin/v1/explain``: why a request was refused, or granted, check by check."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from authcenter.audit.story import tell
from authcenter.core.clock import Clock
from authcenter.core.errors import InvalidInput, NotFound
from authcenter.core.wire_json import encode
from authcenter.http.admin.frame import AdminFrame, Asked
from authcenter.http.admin.instants import instant_of
from authcenter.http.admin.paging import wanted_page, whole
from authcenter.http.responses import Answer, no_store
from authcenter.http.router import Router
from authcenter.stores.ports.audit_trail import AuditTrail
from authcenter.stores.ports.request_traces import RequestTrace, RequestTraces, TraceFilter

_LONGEST_VALUE = 255
_QUERY = ("client", "rule", "ip", "refused", "since", "until", "limit")


@dataclass(frozen=True, slots=True)
class ExplainEndpoints:
    """Finds requests, and tells the story of one."""

    frame: AdminFrame
    traces: RequestTraces
    trail: AuditTrail
    clock: Clock

    def mount(self, router: Router) -> None:
        self.frame.mount(router, "GET", "/explain", self.find, query=_QUERY)
        self.frame.mount(router, "GET", "/explain/{request_id}", self.tell)

    async def tell(self, asked: Asked) -> Answer:
        request_id = asked.path["request_id"]
        known = len(request_id) <= _LONGEST_VALUE
        story = await tell(request_id, self.traces, self.trail) if known else None
        if story is None:
            raise NotFound(f"request {request_id!a:.80} is not known, or not any more (policy audit.explain_ttl)")
        return no_store(encode({**asdict(story), "granted": story.granted}))

    async def find(self, asked: Asked) -> Answer:
        """The newest first, on one page: ``until`` leads to older ones."""
        wanted = wanted_page(asked.query)
        found = await self.traces.find(self._filter(asked.query), wanted.limit)
        return whole([_described(one) for one in found])

    def _filter(self, query: Mapping[str, str]) -> TraceFilter:
        given = {name: query.get(name, "") for name in ("client", "rule", "ip")}
        for name, value in given.items():
            if len(value) > _LONGEST_VALUE or not value.isprintable():
                raise InvalidInput(f"{name}: at most {_LONGEST_VALUE} printable characters")
        if (refused := query.get("refused", "false")) not in {"true", "false"}:
            raise InvalidInput("refused: must be true or false")
        now = self.clock.now()
        return TraceFilter(
            client_id=given["client"],
            rule=given["rule"],
            ip=given["ip"],
            refused=refused == "true",
            since=instant_of("since", query.get("since", ""), now),
            until=instant_of("until", query.get("until", ""), now),
        )


def _described(one: RequestTrace) -> dict[str, Any]:
    """Without its checks: the story has them."""
    return {
        "request_id": one.request_id,
        "at": one.at.isoformat(),
        "method": one.method,
        "route": one.route,
        "status": one.status,
        "client_id": one.client_id,
        "ip": one.ip,
        "rule": one.rule or None,
        "hint": one.hint,
        "checks": len(json.loads(one.checks)),
    }
