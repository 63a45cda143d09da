"""Where and when a run was taken: figures of two machines do not compare."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.bench.compare import Cores
from tests.bench.contenders import node


def describe(on: Cores) -> dict[str, str | int]:
    """Machine, versions and time, as they go into the report."""
    models = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 0,
        "server_core": on.server,
        "load_core": on.load,
        "memory_mib": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1 << 20),
        "kernel": platform.release(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("aiohttp", "uvloop", "cryptography", "sqlalchemy")},
        "node": _says(node(), "--version"),
        "wrk": _says("wrk", "-v").partition(" [")[0],
        "commit": _says("git", "rev-parse", "--short", "HEAD"),
        "load_1m": f"{os.getloadavg()[0]:.2f}",
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _says(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    return (ended.stdout.splitlines() or [""])[0]
