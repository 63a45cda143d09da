"""A span around each request, where tracing is on; where it is off, this is not in the way at all."""

from dataclasses import dataclass

from aiohttp import web

from authcenter.http.context import NOTES
from authcenter.http.origin import OriginReader
from authcenter.http.responses import Answer
from authcenter.http.router import Handler, Router, known_method
from authcenter.telemetry.log_context import EXPORTED_TRACE, REQUEST_FIELDS
from authcenter.telemetry.tracing import Tracing


@dataclass(frozen=True, slots=True)
class TracedRequests:
    """``handler``, with spans that continue the trace of trusted proxies, and name a stranger's (W3C Trace Context)."""

    tracing: Tracing
    router: Router
    origins: OriginReader
    handler: Handler

    async def handle(self, request: web.BaseRequest) -> Answer:
        """Answer one request."""
        route = self.router.route_of(request)
        headers = request.headers
        with self.tracing.request(
            known_method(request.method),
            "unknown" if route is None else route.path,
            headers.getall("traceparent", ()),
            headers.getall("tracestate", ()),
            trusted=self.origins.trusts(request),
        ) as span:
            logged = REQUEST_FIELDS.set(span.ids)
            exported = EXPORTED_TRACE.set(span.ids["trace_id"] if span.sampled else "")
            try:
                response = await self.handler(request)
            finally:
                EXPORTED_TRACE.reset(exported)
                REQUEST_FIELDS.reset(logged)
            notes = request[NOTES]
            rule = notes.verdict[0] if notes.verdict else ""
            span.answered(response.status, request_id=notes.origin.request_id, rule=rule)
            return response
