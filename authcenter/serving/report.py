"""What a worker tells its supervisor: one line of JSON for each question, and one unasked at its end."""

import resource
from dataclasses import dataclass
from pathlib import Path

import msgspec

from authcenter.telemetry.snapshot import Family

_PAGES = Path("/proc/self/statm")

LONGEST_REPORT = 64 * 1024 * 1024
"""Bytes: what a worker with every series there can be stays far below."""

UNASKED = 0
"""The number of the question that the last report answers."""


@dataclass(frozen=True, slots=True)
class Report:
    """A worker's state.

    Attributes:
        question: The number of the question that this answers.
        serving: Whether it takes requests.
        ready: Whether it should get any.
        health: The body of its ``/readyz``.
        memory: Bytes of physical memory that it holds now; where there is no ``/proc``, at its peak.
        metrics: A snapshot of its registry.
    """

    question: int
    serving: bool
    ready: bool
    health: dict[str, object]
    memory: int
    metrics: list[Family]


_encoder, _decoder = msgspec.json.Encoder(), msgspec.json.Decoder(Report)


def to_line(report: Report) -> bytes:
    """A report as one line."""
    return _encoder.encode(report) + b"\n"


def from_line(line: bytes) -> Report:
    """The report of a line. Raises ``msgspec.MsgspecError`` for any other line."""
    return _decoder.decode(line)


def resident_bytes() -> int:
    """The physical memory of this process."""
    if _PAGES.exists():
        return int(_PAGES.read_bytes().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
