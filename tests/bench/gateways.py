"""NGINX in front of an API: without authcenter, asking it each time, and with its cache of answers.

One NGINX process and one of authcenter share the servers' core; the API is NGINX itself, which answers a constant, so
that what differs between the three is the question. Without the cache the rate is bounded by authcenter's own.
"""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.bench import proc
from tests.bench.authority import Authcenter
from tests.bench.compare import Cores
from tests.bench.load import Request, drive
from tests.bench.table import Target
from tests.bench.work import Work
from tests.servers.nginx import NginxServer
from tests.servers.ports import free_port

NAME: Final = "gateways"
_OPEN: Final = "not asked"
_ASKED: Final = "asked each time"
_KEPT: Final = "answers kept"
_BESIDE: Final = """\
server {{ listen 127.0.0.1:{api}; location / {{ return 200 ok; }} }}
server {{ listen 127.0.0.1:{unprotected}; location / {{ proxy_pass http://127.0.0.1:{api}; }} }}
"""


def measure(on: Cores, *, rounds: int, seconds: float, warm_up: float) -> dict[str, Any]:
    """Requests per second of each way, medians of interleaved rounds, with the failures of all."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authcenter-bench-")))
        authority = stack.enter_context(Authcenter(place))
        authority.prepare(Work.VALIDATE)
        requests = _fronts(stack, place, authority, on)
        rates: dict[str, list[float]] = {way: [] for way in requests}
        failed = 0
        for _ in range(rounds):
            for way, request in requests.items():
                failed += drive(request, seconds=warm_up, core=on.load).failures
                seen = drive(request, seconds=seconds, core=on.load)
                rates[way].append(seen.per_second)
                failed += seen.failures
    return {"per_second": {way: round(median(taken), 1) for way, taken in rates.items()}, "failures": failed}


def failures(figures: Mapping[str, Any]) -> int:
    """Answers above 399 and broken sockets."""
    return int(figures["failures"])


def targets(figures: Mapping[str, Any]) -> list[Target]:
    """That the cache is worth having."""
    rates = figures["per_second"]
    gain = round(rates[_KEPT] / rates[_ASKED], 2)
    return [Target("NGINX: answers kept / asked each time", "> 1", gain, gain > 1)]


def render(figures: Mapping[str, Any]) -> str:
    """The three rates for the terminal."""
    rates = figures["per_second"]
    lines = [f"  {way:26}{rate:>11,.0f}/s{rate / rates[_OPEN]:>7.2f}" for way, rate in rates.items()]
    return "\n".join([f"\n{'API behind NGINX':28}{'rate':>13}{'share':>7}", *lines, ""])


def _fronts(stack: ExitStack, place: Path, authority: Authcenter, on: Cores) -> dict[str, Request]:
    ways: dict[str, Request] = {}
    for way, cached in ((_ASKED, False), (_KEPT, True)):
        api, unprotected = free_port(), free_port()
        front = NginxServer(
            place / f"nginx-{cached}",
            authcenter=f"127.0.0.1:{authority.port}",
            api=f"127.0.0.1:{api}",
            gateway="bench",
            cached=cached,
            more=_BESIDE.format(api=api, unprotected=unprotected),
        )
        stack.enter_context(front)
        proc.pin(front.child.pid, on.server)
        ways.setdefault(_OPEN, Request("GET", f"http://127.0.0.1:{unprotected}/orders"))
        ways[way] = authority.validation(f"{front.url}/orders")
    proc.pin(authority.child.pid, on.server)
    return ways
