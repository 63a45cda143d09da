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
_TIMES_ASKED = 3


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
    return {one["worker"]: one["pid"] for one in whole_report(service, workers)["workers"]}


def whole_report(service: Service, workers: int = WORKERS) -> dict[str, Any]:
    """What ``/readyz`` says once all workers are ready, agree on the policy, and nobody else is there."""
    found: dict[str, Any] = {}

    def all_ready() -> bool:
        found.update(readiness(service))
        agreed = " " not in found["policy_version"]
        return found["status"] == "ok" and len(found["workers"]) == workers and agreed

    until(all_ready, "all workers are ready")
    return found


def log_lines(service: Service) -> list[dict[str, Any]]:
    return [json.loads(line) for line in service.process.log.read_text().splitlines()]


def answered(service: Service) -> float:
    """How many public requests the service says it has answered.

    Of a worker that is too busy to tell it says what that told before: the most of what it says is what holds.
    """
    return max(service.api.metric("authcenter_http_request_seconds_count") for _ in range(_TIMES_ASKED))
