"""The frame around every request: id, refusals to responses, headers, metrics, one log line."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import hdrs, web

from authcenter.core.errors import ErrorCode, OAuthError, PolicyUnknown, Unavailable
from authcenter.core.marks import marked_client_id
from authcenter.core.rules import Rule
from authcenter.http.context import NOTES, RequestNotes
from authcenter.http.cors import ClientCors
from authcenter.http.origin import OriginReader
from authcenter.http.problems import answers_problems, problem_of_outage, refusal_at
from authcenter.http.request_tracer import RequestTracer
from authcenter.http.responses import Answer, header_lines, refusal, unavailable
from authcenter.http.router import Route, Router, known_method
from authcenter.telemetry.health import Health
from authcenter.telemetry.log_context import REQUEST_FIELDS
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLine, RequestLog

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Server": "authcenter",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_LONGEST_CLIENT_ID = 255
_TOO_MANY_REQUESTS = 429
_UNKNOWN = frozenset({Rule.CLIENT_UNKNOWN, Rule.RATE_LIMITED_ADDRESS})
"""By these, what was sent as the id of a client is none, or has not been looked up."""
_UNTRACED: Mapping[str, str] = {}


def security_headers(issuer: str) -> bytes:
    """What every answer carries, as lines; HSTS where the service is reached over TLS."""
    return header_lines(_HEADERS | _HSTS if issuer.startswith("https:") else _HEADERS)


@dataclass(frozen=True, slots=True)
class Frame:
    """What every request gets, in one place and one pass."""

    router: Router
    origins: OriginReader
    cors: ClientCors
    metrics: Metrics
    health: Health
    log: Logger
    request_log: RequestLog
    tracer: RequestTracer
    headers: bytes

    async def handle(self, request: web.BaseRequest) -> Answer:
        """Answer one request, whatever becomes of it."""
        started = time.perf_counter()
        notes = request[NOTES] = RequestNotes(self.origins.read(request))
        self.tracer.begin()
        route = self.router.route_of(request)
        trace = REQUEST_FIELDS.get()
        about = {"request_id": notes.origin.request_id}
        logged = REQUEST_FIELDS.set(about if trace is None else {**about, **trace})
        try:
            response = await self._answer(request, route, notes)
            response.lines += b"%b%bX-Request-Id: %b\r\n" % (
                self.headers,
                response.policy,
                notes.origin.request_id.encode(),
            )
            if hdrs.ORIGIN in request.headers:
                await self.cors.expose(request, response)
            if self.health.closing:
                response.force_close()
            self._record(request, route, notes, trace or _UNTRACED, response.status, time.perf_counter() - started)
            return response
        finally:
            REQUEST_FIELDS.reset(logged)

    async def _answer(self, request: web.BaseRequest, route: Route | None, notes: RequestNotes) -> Answer:
        handler = route.handler(request.method) if route is not None else self.router.otherwise
        if handler is None:
            return _no_handler(request, route, notes)
        if "policy" in self.health.missing:
            handler = _without_policy
        try:
            return await handler(request)
        except OAuthError as refused:
            notes.verdict = (refused.rule, refused.hint)
            return refusal(refused)
        except Unavailable as cause:
            notes.verdict = (cause.rule, cause.hint)
            return problem_of_outage(cause) if answers_problems(request.path) else unavailable(cause)
        except web.HTTPException as answer:
            return refusal_at(request.path, ErrorCode.INVALID_REQUEST, "The request is malformed.", answer.status)
        except asyncio.CancelledError:
            raise
        except Exception:
            self.log.exception("defect", path=request.path[:200])
            notes.verdict = (Rule.INTERNAL, "see the traceback")
            return refusal_at(request.path, ErrorCode.SERVER_ERROR, "The server failed.", 500)

    def _record(
        self,
        request: web.BaseRequest,
        route: Route | None,
        notes: RequestNotes,
        trace: Mapping[str, str],
        status: int,
        seconds: float,
    ) -> None:
        path = "unknown" if route is None else route.path
        method = known_method(request.method)
        self.metrics.http_seconds.observe(seconds, method, path, str(status))
        rule, hint = notes.verdict or (None, None)
        if rule is not None and status == _TOO_MANY_REQUESTS:
            # Here, and not where it is raised: pages answer it themselves.
            self.metrics.rate_limited.count(rule)
        if rule in _UNKNOWN and notes.client_id:
            notes.client_id = marked_client_id(notes.client_id)
        line = RequestLine(
            request_id=notes.origin.request_id,
            method=method,
            route=path,
            status=status,
            ms=int(seconds * 100_000) / 100,
            ip=notes.origin.ip,
            client_id=notes.client_id and notes.client_id[:_LONGEST_CLIENT_ID],
            caller_request_id=notes.origin.caller_request_id,
            original_method=notes.original[0],
            original_path=notes.original[1],
            rule=rule,
            hint=hint,
            **trace,
        )
        self.request_log.write(line, urgent=status >= 500)
        if route is not None:
            self.tracer.record(path, method, status, notes)


async def _without_policy(_: web.BaseRequest) -> Answer:
    # The built-in policy may be laxer than what the operator wrote.
    raise PolicyUnknown("no policy since the start", retry_after=5)


def _no_handler(request: web.BaseRequest, route: Route | None, notes: RequestNotes) -> Answer:
    if route is None:
        notes.verdict = (Rule.ROUTE_UNKNOWN, "")
        return refusal_at(request.path, ErrorCode.NOT_FOUND, "There is nothing here.", 404)
    notes.verdict = (Rule.METHOD_NOT_ALLOWED, "")
    description = "The method is not allowed here."
    response = refusal_at(request.path, ErrorCode.METHOD_NOT_ALLOWED, description, 405)
    response.headers["Allow"] = route.allow
    return response
