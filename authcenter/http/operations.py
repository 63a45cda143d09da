"""The operators' listener: liveness, readiness, metrics. Never public."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import exposition

from authcenter.core.errors import ErrorCode
from authcenter.core.wire_json import encode
from authcenter.http.responses import Answer, error, no_store
from authcenter.http.router import Router
from authcenter.telemetry.health import Health
from authcenter.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class OperatorsListener:
    """What orchestrators and Prometheus ask.

    Attributes:
        refresh: Brings the gauges up to date before they are read.
    """

    health: Health
    metrics: Metrics
    refresh: Callable[[], None]
    router: Router

    def mount(self) -> None:
        self.router.add_get("/livez", self.livez)
        self.router.add_get("/readyz", self.readyz)
        self.router.add_get("/metrics", self.scrape)

    async def handle(self, request: web.BaseRequest) -> Answer:
        """Answer one request. No frame: nobody but operators gets here, and probes are not worth a log line."""
        route = self.router.find(request.path)
        if route is None:
            return error(ErrorCode.NOT_FOUND, "There is nothing here.", 404)
        handler = route.handlers.get(request.method)
        if handler is None:
            return error(ErrorCode.METHOD_NOT_ALLOWED, "The method is not allowed here.", 405)
        return await handler(request)

    async def livez(self, _: web.BaseRequest) -> Answer:
        """The process answers: no dependency is asked."""
        return no_store(encode({"status": "ok"}))

    async def readyz(self, _: web.BaseRequest) -> Answer:
        """200 as long as there is something this process can do for a caller."""
        return no_store(encode(self.health.report()), 503 if self.health.problems else 200)

    async def scrape(self, request: web.BaseRequest) -> Answer:
        self.refresh()
        encoder, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return Answer(encoder(self.metrics.registry), headers={"Content-Type": content_type})
