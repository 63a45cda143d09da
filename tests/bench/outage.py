"""What goes on while a part is gone: how long it takes, beside an undisturbed run, on three instances at 50 requests/s.

The target is 250 ms at p99; it is shown, and decides nothing: what is promised of an outage (no answer later than 2 s,
nothing refused that need not be) is what ``tests/chaos`` insists on.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.chaos.fleet import Fleet, fleet
from tests.chaos.notes import INTROSPECT_REFRESH, PASSWORD_GRANT, REFRESH, REVOKE, Note

NAME: Final = "outage"
_SECONDS: Final = 10
_MOST_P99_MS: Final = 250
# As it comes, but for what an honest retry needs.
_POLICY: Final = "tokens: {refresh_reuse_grace: 120}\n"
_NEED_THE_RECORD: Final = frozenset({PASSWORD_GRANT, REFRESH, REVOKE, INTROSPECT_REFRESH})
_UNDISTURBED: Final = "undisturbed"
# What is done, to which dependency, how it comes back, what of the requests does not go on.
_OUTAGES: Final = {
    "Redis killed": ("redis", "kill", "start", frozenset()),
    "Redis frozen": ("redis", "freeze", "thaw", frozenset()),
    "PostgreSQL killed": ("database", "kill", "start", _NEED_THE_RECORD),
    "PostgreSQL frozen": ("database", "freeze", "thaw", _NEED_THE_RECORD),
    "Consul killed": ("consul", "kill", "start", frozenset()),
}

Figures = dict[str, dict[str, dict[str, float]]]


def measure() -> Figures:
    """By what is going on and kind of request: how many were granted, and how long they took."""
    allowed = os.sched_getaffinity(0)
    # A fleet and three servers: on all cores, as the machine would run them.
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        with tempfile.TemporaryDirectory(prefix="authcenter-bench-") as place, fleet(Path(place), _POLICY) as made:
            figures = {_UNDISTURBED: _by_kind(_undisturbed(made), frozenset())}
            for name, (dependency, begin, end, refused) in _OUTAGES.items():
                figures[name] = _by_kind(_during(made, dependency, begin, end), refused)
            return figures
    finally:
        os.sched_setaffinity(0, allowed)


def render(figures: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """A table for each kind: undisturbed, and during each outage in which it goes on."""
    lines = [
        f"\nthree instances at 50 requests/s, {_SECONDS} s of each (ms; target during an outage: p99 {_MOST_P99_MS})"
    ]
    for kind in figures[_UNDISTURBED]:
        lines.append(f"  {kind}")
        for name, by_kind in figures.items():
            if of := by_kind.get(kind):
                spread = "".join(f"{share:>7} {of[f'{share}_ms']:>8.2f}" for share in ("p50", "p99", "max"))
                missed = "" if of["p99_ms"] <= _MOST_P99_MS else "   above the target"
                lines.append(f"    {name:20}{of['granted']:>6.0f}{spread}{missed}")
    return "\n".join([*lines, ""])


def _undisturbed(made: Fleet) -> list[Note]:
    with made.traffic() as traffic:
        begun = time.monotonic()
        time.sleep(_SECONDS)
    return [note for note in traffic.told.notes if note.sent >= begun]


def _during(made: Fleet, dependency: str, begin: str, end: str) -> list[Note]:
    made.until_well()
    server: Any = made.servers[dependency]
    with made.traffic() as traffic:
        time.sleep(1)
        begun = time.monotonic()
        getattr(server, begin)()
        time.sleep(_SECONDS)
        over = time.monotonic()
        getattr(server, end)()
        made.until_well()
    return [note for note in traffic.told.notes if begun <= note.sent < over]


def _by_kind(notes: Iterable[Note], refused: frozenset[str]) -> dict[str, dict[str, float]]:
    taken: dict[str, list[float]] = {}
    for note in notes:
        if note.kind not in refused and note.status == 200:
            taken.setdefault(note.kind, []).append(note.seconds * 1_000)
    return {kind: _distribution(sorted(of)) for kind, of in sorted(taken.items())}


def _distribution(ordered: list[float]) -> dict[str, float]:
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    figures = {"p50_ms": median(ordered), "p99_ms": p99, "max_ms": ordered[-1]}
    return {"granted": len(ordered), **{name: round(value, 2) for name, value in figures.items()}}
