"""The micro-benchmark of verification as the bench sees it: run in a fresh process, judged, printed."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from tests.bench.table import Target

_MOST_ABOVE_BARE_US: Final = 30
_LEAST_SEEN: Final = 300_000
_PROJECT: Final = Path(__file__).parents[2]


def in_a_process(core: int) -> dict[str, Any]:
    """The figures, taken by a fresh process pinned to ``core``."""
    command = ["taskset", "-c", str(core), sys.executable, "-m", "tests.bench.verify"]
    ended = subprocess.run(command, cwd=_PROJECT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(ended.stdout)
    return figures


def targets(figures: Mapping[str, Any]) -> list[Target]:
    """Every algorithm and replica size against the two limits."""
    found: list[Target] = []
    for whose, algorithm, by_size in _all(figures):
        for revoked, taken in by_size.items():
            name = f"{whose} {algorithm}, {int(revoked):,} revoked"
            above, most, least = taken["above_bare_us"], _MOST_ABOVE_BARE_US, _LEAST_SEEN
            found.append(Target(f"{name}: first, us above bare", f"<= {most}", above, above <= most))
            for figure in ("seen_per_second", "looked_up_per_second"):
                got = taken[figure]
                found.append(Target(f"{name}: {figure.replace('_', ' ')}", f">= {least:,}", got, got >= least))
    return found


def render(figures: Mapping[str, Any]) -> str:
    """The table for the terminal."""
    columns = ("revoked", 11), ("bare us", 10), ("first us", 10), ("above", 8), ("seen/s", 12), ("looked up/s", 13)
    names = "".join(f"{name:>{width}}" for name, width in columns)
    lines = [f"\n{'verification, one process':28}{names}"]
    for whose, algorithm, by_size in _all(figures):
        for revoked, taken in by_size.items():
            times = f"{taken['bare_us']:>10.1f}{taken['first_us']:>10.1f}{taken['above_bare_us']:>8.1f}"
            again = f"{taken['seen_per_second']:>12,}{taken['looked_up_per_second']:>13,}"
            lines.append(f"  {f'{whose} {algorithm}':26}{int(revoked):>11,}{times}{again}")
    replica = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in figures["replica"].items())
    return "\n".join([*lines, f"replica: {replica}", ""])


def _all(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """The server's checks, then those of the SDK, which look at audience and scope too."""
    for whose, of in (("verify", "checks"), ("SDK verify", "sdk")):
        for algorithm, by_size in figures[of].items():
            yield whose, algorithm, by_size
