"""What a test sees of several workers."""

import json
from pathlib import Path
from typing import Any

import requests

from tests.integration.service.api import until
from tests.integration.service.running import Service
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.redis import RedisServer

WORKERS = 4


def several(directory: Path, redis: RedisServer, workers: int = WORKERS, **settings: str) -> AuthcenterProcess:
    """A process that runs several workers."""
    return AuthcenterProcess(
        directory, settings={"AUTHCENTER_REDIS_URL": redis.url, "AUTHCENTER_WORKERS": str(workers), **settings}
    )


def readiness(service: Service) -> dict[str, Any]:
    """What ``/readyz`` says, whatever its status."""
    return dict(requests.get(f"{service.process.ops_url}/readyz", timeout=30).json())


def pids(service: Service) -> dict[int, int]:
    """The workers that are ready: number and pid."""
    return {one["worker"]: one["pid"] for one in readiness(service)["workers"] if one["status"] == "ok"}


def whole(service: Service, workers: int = WORKERS) -> dict[int, int]:
    """Wait until all workers are ready and nobody else is there; their pids."""

    def all_ready() -> bool:
        told = readiness(service)
        return told["status"] == "ok" and len(told["workers"]) == workers

    until(all_ready, "all workers are ready")
    return pids(service)


def log_lines(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.process.log.read_text().splitlines()]


def answered(service: Service) -> float:
    """How many public requests the service says it has answered."""
    return service.api.metric("authcenter_http_request_seconds_count")
