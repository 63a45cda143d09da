"""All workers as one service, the way operators look at it."""

import asyncio
from collections.abc import Sequence

from prometheus_client.registry import Collector

from authcenter.http.operations import Observed
from authcenter.serving.report import Report
from authcenter.serving.worker import Worker
from authcenter.telemetry.snapshot import Family, MergedRegistry, counted, merged

_PATIENCE_SECONDS = 0.5
"""How long a worker may take to answer, well within what probes and Prometheus wait for all of them."""


class Crew(Observed):
    """The workers there are, and what those that are gone had counted.

    Attributes:
        size: How many there should be.
        draining: Whether the whole service ends.
    """

    def __init__(self, size: int) -> None:
        self.size, self.draining = size, False
        self._workers: list[Worker] = []
        self._past: list[Family] = []

    @property
    def workers(self) -> tuple[Worker, ...]:
        return tuple(self._workers)

    def join(self, worker: Worker) -> None:
        self._workers.append(worker)

    def leave(self, worker: Worker) -> None:
        """Its counters stay, as it last told them; its gauges do not."""
        self._workers.remove(worker)
        if worker.last is not None:
            self._past = merged([self._past, counted(worker.last.metrics)])

    async def ask(self) -> list[tuple[Worker, Report | None]]:
        """What each worker tells now; None where it is silent."""
        workers = self.workers
        return list(zip(workers, await asyncio.gather(*(one.ask(_PATIENCE_SECONDS) for one in workers)), strict=True))

    async def readiness(self) -> tuple[bool, dict[str, object]]:
        """Ready as long as one worker is; ok where as many as there should be are, and none of those is degraded."""
        told = await self.ask()
        ready = [report for _, report in told if report is not None and report.ready]
        problems = ["draining"] if self.draining else [] if ready else ["no worker is ready"]
        whole = len(ready) >= self.size and all(report.health["status"] == "ok" for report in ready)
        known = [report for _, report in told if report is not None]
        return not problems, {
            "status": "unready" if problems else "ok" if whole else "degraded",
            "dependencies": _dependencies(known),
            "policy_version": " ".join(sorted({str(report.health["policy_version"]) for report in known})),
            **({"problems": problems} if problems else {}),
            "workers": [_entry(worker, report) for worker, report in told],
        }

    async def metrics(self) -> Collector:
        """Of a worker that is silent, what it told last."""
        await self.ask()
        return MergedRegistry(
            merged([self._past, *(one.last.metrics for one in self._workers if one.last is not None)])
        )


def _entry(worker: Worker, report: Report | None) -> dict[str, object]:
    who: dict[str, object] = {"worker": worker.number, "pid": worker.pid}
    return {**who, "status": "silent"} if report is None else {**who, "memory_bytes": report.memory, **report.health}


def _dependencies(reports: Sequence[Report]) -> dict[str, str]:
    """Up where every worker says so."""
    merged_ones: dict[str, str] = {}
    for report in reports:
        told = report.health["dependencies"]
        for name, state in told.items() if isinstance(told, dict) else ():
            merged_ones[name] = "down" if "down" in (state, merged_ones.get(name)) else "up"
    return merged_ones
