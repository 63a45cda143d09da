"""One run of wrk: what it sends, and what it saw."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 32
_SCRIPT: Final = Path(__file__).parent / "lua" / "load.lua"
_MARK: Final = "BENCH "


@dataclass(frozen=True, slots=True)
class Request:
    """What every request of a run carries.

    With ``refresh_tokens`` the body ends in ``refresh_token=`` and each request appends the newest token of a chain.
    """

    method: str
    url: str
    body: str = ""
    authorization: str = ""
    refresh_tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What wrk saw: latencies in milliseconds, failures as answers above 399 and broken or late sockets."""

    requests: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int


def drive(request: Request, *, seconds: float, core: int) -> Seen:
    """Send ``request`` over ``CONNECTIONS`` kept-alive connections for ``seconds`` (whole ones), wrk on ``core`` alone.

    Raises:
        RuntimeError: wrk ended with an error; its output is the message.
    """
    environment = {
        "PATH": os.environ["PATH"],
        "BENCH_METHOD": request.method,
        "BENCH_BODY": request.body,
        "BENCH_AUTHORIZATION": request.authorization,
        "BENCH_REFRESH_TOKENS": "\n".join(request.refresh_tokens),
    }
    command = ["taskset", "-c", str(core), "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    ended = subprocess.run(
        [*command, "--timeout", "5s", "-s", str(_SCRIPT), request.url],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith(_MARK)]
    if ended.returncode != 0 or not lines:
        raise RuntimeError(f"wrk on {request.url} ended with {ended.returncode}: {ended.stderr}{ended.stdout}")
    report = json.loads(lines[0].removeprefix(_MARK))
    return Seen(
        requests=report["requests"],
        per_second=report["requests"] / (report["microseconds"] / 1e6),
        p50_ms=report["p50_us"] / 1e3,
        p99_ms=report["p99_us"] / 1e3,
        failures=report["status_errors"] + report["socket_errors"],
    )
