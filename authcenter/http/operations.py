"""The operators' listener: liveness, readiness, metrics. Never public."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import exposition

from authcenter.http.responses import encode, no_store
from authcenter.telemetry.health import Health
from authcenter.telemetry.metrics import Metrics


@dataclass(frozen=True, slots=True)
class OperationsEndpoints:
    """What orchestrators and Prometheus ask.

    Attributes:
        refresh: Brings the gauges up to date before they are read.
    """

    health: Health
    metrics: Metrics
    refresh: Callable[[], None]

    def mount(self, router: web.UrlDispatcher) -> None:
        router.add_get("/livez", self.livez)
        router.add_get("/readyz", self.readyz)
        router.add_get("/metrics", self.scrape)

    async def livez(self, _: web.Request) -> web.Response:
        """The process answers: no dependency is asked."""
        return no_store(encode({"status": "ok"}))

    async def readyz(self, _: web.Request) -> web.Response:
        """200 as long as there is something this process can do for a caller."""
        return no_store(encode(self.health.report()), 503 if self.health.problems else 200)

    async def scrape(self, request: web.Request) -> web.Response:
        self.refresh()
        encoder, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encoder(self.metrics.registry), headers={"Content-Type": content_type})
