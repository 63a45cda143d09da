"""The interleaved comparison: A B C, C B A … for each work, each contender alone on the server's core."""

import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from tests.bench import proc
from tests.bench.load import Request, drive
from tests.bench.work import Contender, Sample, Work


@dataclass(frozen=True, slots=True)
class Cores:
    """The servers' core and wrk's; the same one where the machine has no other, which voids the figures."""

    server: int
    load: int


def cores() -> Cores:
    """The first and the last core that this process may use."""
    usable = sorted(os.sched_getaffinity(0))
    return Cores(usable[0], usable[-1])


def compare(
    contenders: Sequence[Contender], works: Sequence[Work], *, on: Cores, rounds: int, seconds: float, warm_up: float
) -> dict[Work, dict[str, list[Sample]]]:
    """Samples of every contender at every work it can do, ``rounds`` of each."""
    samples: dict[Work, dict[str, list[Sample]]] = {work: {} for work in works}
    for contender in contenders:
        proc.pin(contender.child.pid, on.server)
    for number in range(1, rounds + 1):
        for work in works:
            # A machine that grows slower during a round must not always slow the same one.
            for contender in contenders if number % 2 else reversed(contenders):
                with frozen([other for other in contenders if other is not contender]):
                    sample = _measure(contender, work, on=on, seconds=seconds, warm_up=warm_up)
                if sample is not None:
                    samples[work].setdefault(contender.name, []).append(sample)
                    rate = f"{sample.per_second:,.0f}/s, {sample.failures} failed"
                    print(f"round {number}/{rounds}  {work.value:28}{contender.name:16}{rate}", file=sys.stderr)
    return samples


@contextmanager
def frozen(contenders: Sequence[Contender]) -> Iterator[None]:
    """Nobody's timers or garbage collector take time from who is measured."""
    for contender in contenders:
        contender.freeze()
    try:
        yield
    finally:
        for contender in contenders:
            contender.thaw()


def _measure(contender: Contender, work: Work, *, on: Cores, seconds: float, warm_up: float) -> Sample | None:
    if (first := contender.prepare(work)) is None:
        return None
    warm = drive(first, seconds=warm_up, core=on.load)
    # Prepared again: the chains of refresh tokens that the first load held went with it.
    request = contender.prepare(work) if first.refresh_tokens else first
    return _sample(contender.child.pid, request or first, core=on.load, seconds=seconds, failed_before=warm.failures)


def _sample(pid: int, request: Request, *, core: int, seconds: float, failed_before: int) -> Sample:
    used, since = proc.cpu_seconds(pid), time.monotonic()
    seen = drive(request, seconds=seconds, core=core)
    share = (proc.cpu_seconds(pid) - used) / (time.monotonic() - since)
    return Sample(
        per_second=seen.per_second,
        p50_ms=seen.p50_ms,
        p99_ms=seen.p99_ms,
        requests=seen.requests,
        failures=seen.failures + failed_before,
        resident_bytes=proc.resident_bytes(pid),
        cpu_share=share,
    )
