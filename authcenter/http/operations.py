"""The operators' listener: liveness, readiness, metrics. Never public."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web
from prometheus_client import exposition
from prometheus_client.registry import Collector

from authcenter.core.errors import ErrorCode
from authcenter.core.wire_json import encode
from authcenter.http.probes import Probes
from authcenter.http.responses import Answer, error, no_store
from authcenter.http.router import Router
from authcenter.telemetry.health import Health
from authcenter.telemetry.metrics import Metrics


class Observed(Protocol):
    """What operators look at: one process, or several as one."""

    async def readiness(self) -> tuple[bool, dict[str, object]]:
        """Whether there is something it can do for a caller, and the body of ``/readyz``."""
        ...

    async def metrics(self) -> Collector:
        """The metrics of this moment."""
        ...


@dataclass(frozen=True, slots=True)
class ThisProcess(Observed):
    """The process that answers.

    Attributes:
        refresh: Brings the gauges up to date before they are read.
    """

    health: Health
    registry: Metrics
    refresh: Callable[[], None]

    async def readiness(self) -> tuple[bool, dict[str, object]]:
        return not self.health.problems, self.health.report()

    async def metrics(self) -> Collector:
        self.refresh()
        return self.registry.registry


@dataclass(frozen=True, slots=True)
class OperatorsListener:
    """What orchestrators and Prometheus ask."""

    observed: Observed
    router: Router
    probes: Probes

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

    async def readyz(self, request: web.BaseRequest) -> Answer:
        """200 as long as there is something this process can do for a caller."""
        ready, report = await self.observed.readiness()
        self.probes.note(request.remote or "", ready=ready)
        return no_store(encode(report), 200 if ready else 503)

    async def scrape(self, request: web.BaseRequest) -> Answer:
        encoder, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
        return Answer(encoder(await self.observed.metrics()), headers={"Content-Type": content_type})
