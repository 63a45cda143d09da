"""Whether the time of an answer tells which addresses have accounts: ``python -m tests.bench.known_addresses``.

Known and unknown addresses are asked about in random order, over one connection. Shown is the chance that of one of
each the known one took longer: 0.5 where time tells nothing. It is taken for telling nothing where 0.5 lies within four
standard errors of what was measured (Mann and Whitney), which chance alone leaves once in 16,000 runs.
"""

import json
import random
import tempfile
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from http.client import HTTPConnection
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any, Final

from tests.servers.authcenter import AuthcenterProcess
from tests.servers.postgres import PostgresServer

_PEOPLE: Final = 40
_ASKED: Final = 2_000
_STANDARD_ERRORS: Final = 4
_POLICY: Final = """\
accounts: {signup: true}
rate_limits: {signup_per_ip: 10000000/hour, mail_per_address: 1000000/hour}
"""


def measure(asked: int = _ASKED) -> dict[str, dict[str, float]]:
    """By database: the medians, and what the chance is."""
    figures = {}
    with tempfile.TemporaryDirectory(prefix="authcenter-bench-") as place, PostgresServer() as postgres:
        for name, url in (("sqlite", None), ("postgres", postgres.create_database())):
            process = AuthcenterProcess(Path(place) / name, database_url=url)
            process.policy_file.write_text(_POLICY)
            with process:
                known = [_person(process, number) for number in range(_PEOPLE)]
                figures[name] = compared(*_times(process.port, known, asked))
    return figures


def compared(known: Sequence[float], unknown: Sequence[float]) -> dict[str, float]:
    """The chance that a known one takes longer than an unknown one, and its standard error where both are alike."""
    ordered = sorted(unknown)
    wins = sum(bisect_left(ordered, one) + bisect_right(ordered, one) for one in known) / 2
    error = sqrt((len(known) + len(unknown) + 1) / (12 * len(known) * len(unknown)))
    chance = wins / (len(known) * len(unknown))
    return {
        "known_ms": round(median(known) * 1000, 3),
        "unknown_ms": round(median(unknown) * 1000, 3),
        "chance": round(chance, 4),
        "standard_errors": round((chance - 0.5) / error, 2),
    }


def _person(process: AuthcenterProcess, number: int) -> str:
    address = f"known-{number:06}@example.com"
    words = ("--username", f"known-{number}", "--email", address, "--password-stdin")
    process.cli_json("users", "create", *words, stdin="kettle bracket violin")
    return address


def _times(port: int, known: Sequence[str], asked: int) -> tuple[list[float], list[float]]:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    numbers = iter(range(1_000_000))
    # Of the same length, so that nothing of an address but whether it is known makes the difference.
    kinds: dict[str, Callable[[], str]] = {
        "known": lambda: random.choice(known),
        "unknown": lambda: f"other-{next(numbers):06}@example.com",
    }
    taken: dict[str, list[float]] = {kind: [] for kind in kinds}
    order = [*kinds] * asked
    random.shuffle(order)
    for kind in [*kinds] * 50 + order:
        body = json.dumps({"email": kinds[kind]()}).encode()
        sent = time.perf_counter()
        connection.request("POST", "/api/v1/auth/register", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        taken[kind].append(time.perf_counter() - sent)
        if answer.status != 202:
            raise RuntimeError(f"answered {answer.status}")
    return taken["known"][50:], taken["unknown"][50:]


def main() -> int:
    """Print, and say by the exit code whether time tells nothing."""
    told: dict[str, Any] = measure()
    for name, figures in told.items():
        print(f"sign-up, {name:9}" + "".join(f"  {what} {value}" for what, value in figures.items()))
    return int(any(abs(figures["standard_errors"]) > _STANDARD_ERRORS for figures in told.values()))


if __name__ == "__main__":
    raise SystemExit(main())
