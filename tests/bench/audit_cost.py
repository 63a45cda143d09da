"""What the audit log takes of the token rate: authcenter beside one that issues without a row, each on SQLite and on
PostgreSQL. The servers share a core, and so does the part of SQLite's work that falls to them; PostgreSQL has the rest
of the machine, as it would have one of its own."""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench.authority import Authcenter
from tests.bench.compare import Cores, compare
from tests.bench.table import Row, Target, paired
from tests.bench.work import Work
from tests.servers.postgres import PostgresServer

NAME: Final = "audit cost"
_WORK: Final = Work.CC_ES256
_LEAST: Final = 0.9
_TIMES: Final = 4
"""As many loads, each so much shorter as ``_SHORTER`` says: the difference is smaller than what the machine's other
loads change from one minute to the next."""

_SHORTER: Final = 2
_BACKENDS: Final = ("SQLite", "PostgreSQL")


class _Recorded(Authcenter):
    name = "recorded"


class _Unrecorded(Authcenter):
    name = "unrecorded"
    module = "tests.bench.unrecorded"


def measure(on: Cores, *, rounds: int, seconds: float, warm_up: float) -> dict[str, Any]:
    """By backend: each of the two, and the median of the rounds' ratios."""
    figures: dict[str, Any] = {}
    for backend in _BACKENDS:
        with ExitStack() as stack:
            place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="authcenter-bench-")))
            urls: list[str | None] = [None, None]
            if backend == "PostgreSQL":
                server = stack.enter_context(PostgresServer(durable=True))
                urls = [server.create_database() for _ in urls]
            contenders = [_Recorded(place / "a", urls[0]), _Unrecorded(place / "b", urls[1])]
            for contender in contenders:
                stack.enter_context(contender)
            taken = compare(
                contenders, [_WORK], on=on, rounds=rounds * _TIMES, seconds=seconds / _SHORTER, warm_up=warm_up
            )
            of = {name: Row.of(samples) for name, samples in taken[_WORK].items()}
            figures[backend] = {
                "ratio": paired(of[_Recorded.name], of[_Unrecorded.name]),
                **{name: asdict(row) for name, row in of.items()},
            }
    return figures


def failures(figures: Mapping[str, Any]) -> int:
    """Answers above 399 and broken sockets."""
    return sum(int(of[name]["failures"]) for of in figures.values() for name in (_Recorded.name, _Unrecorded.name))


def targets(figures: Mapping[str, Any]) -> list[Target]:
    """That the log takes at most a tenth."""
    return [
        Target(f"{_WORK}: with / without audit rows on {backend}", f">= {_LEAST}", of["ratio"], of["ratio"] >= _LEAST)
        for backend, of in figures.items()
    ]


def render(figures: Mapping[str, Any]) -> str:
    """Both rates on each backend for the terminal."""
    lines = []
    for backend, of in figures.items():
        rates = "".join(f"{of[name]['per_second']:>12,.0f}" for name in (_Recorded.name, _Unrecorded.name))
        lines.append(f"  {backend:14}{rates}{of['ratio']:>8.3f}")
    return "\n".join([f"\n{NAME:16}{'with rows/s':>12}{'without/s':>12}{'ratio':>8}", *lines, ""])
