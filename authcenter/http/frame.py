"""The frame around every request: id, refusals to responses, headers, metrics, one log line."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

from authcenter.core.errors import ErrorCode, OAuthError, Unavailable
from authcenter.core.rules import Rule
from authcenter.http.context import CLIENT_ID, ORIGIN, VERDICT
from authcenter.http.cors import ClientCors
from authcenter.http.origin import OriginReader
from authcenter.http.responses import error, refusal, unavailable
from authcenter.telemetry.health import Health
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.telemetry.request_log import RequestLog

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Server": "authcenter",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})


def security_headers(issuer: str) -> Mapping[str, str]:
    """What every answer carries; HSTS where the service is reached over TLS."""
    return CIMultiDict(_HEADERS | _HSTS if issuer.startswith("https:") else _HEADERS)


@dataclass(frozen=True, slots=True)
class Frame:
    """The one middleware: what every request gets, in one place and one pass."""

    origins: OriginReader
    cors: ClientCors
    metrics: Metrics
    health: Health
    log: Logger
    request_log: RequestLog
    headers: Mapping[str, str]

    def middleware(self) -> Callable[..., Awaitable[web.StreamResponse]]:
        @web.middleware
        async def frame(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._serve(request, handler)

        return frame

    async def _serve(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        origin = request[ORIGIN] = self.origins.read(request)
        response = await self._answer(request, handler)
        response.headers.extend(self.headers)
        response.headers["X-Request-Id"] = origin.request_id
        if "Origin" in request.headers:
            await self.cors.expose(request, response)
        if self.health.draining:
            response.force_close()
        self._record(request, response, time.perf_counter() - started)
        return response

    async def _answer(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except OAuthError as refused:
            request[VERDICT] = (refused.rule, refused.hint)
            return refusal(refused)
        except Unavailable as cause:
            request[VERDICT] = (cause.rule, cause.hint)
            return unavailable(cause)
        except web.HTTPException as answer:
            return _http_error(request, answer)
        except asyncio.CancelledError:
            raise
        except Exception:
            self.log.exception("defect", request_id=request[ORIGIN].request_id, path=request.path[:200])
            request[VERDICT] = (Rule.INTERNAL, "see the traceback")
            return error(ErrorCode.SERVER_ERROR, "The server failed.", 500)

    def _record(self, request: web.Request, response: web.StreamResponse, seconds: float) -> None:
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "unknown"
        method = request.method if request.method in _METHODS else "other"
        self.metrics.http_seconds(method, route, str(response.status)).observe(seconds)
        origin = request[ORIGIN]
        line: dict[str, object] = {
            "request_id": origin.request_id,
            "method": method,
            "route": route,
            "status": response.status,
            "ms": round(seconds * 1000, 2),
            "ip": origin.ip,
        }
        if (client_id := request.get(CLIENT_ID)) is not None:
            line["client_id"] = client_id
        if origin.caller_request_id:
            line["caller_request_id"] = origin.caller_request_id
        if (verdict := request.get(VERDICT)) is not None:
            line["rule"], line["hint"] = verdict
        self.request_log.write(line, urgent=response.status >= 500)


def _http_error(request: web.Request, answer: web.HTTPException) -> web.Response:
    """What aiohttp answers by itself, in our form."""
    match answer:
        case web.HTTPMethodNotAllowed():
            request[VERDICT] = (Rule.METHOD_NOT_ALLOWED, request.method[:20])
            response = error(ErrorCode.METHOD_NOT_ALLOWED, "The method is not allowed here.", 405)
            response.headers["Allow"] = ", ".join(sorted(answer.allowed_methods))
            return response
        case web.HTTPNotFound():
            request[VERDICT] = (Rule.ROUTE_UNKNOWN, "")
            return error(ErrorCode.NOT_FOUND, "There is nothing here.", 404)
        case _:
            return error(ErrorCode.INVALID_REQUEST, "The request is malformed.", answer.status)
