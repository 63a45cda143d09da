"""A running server as the kernel sees it: its core, its memory, its time (proc(5), sched_setaffinity(2))."""

import os
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def tree(pid: int) -> list[int]:
    """The process and all its descendants: a supervisor counts with its worker."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").iterdir():
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def pin(pid: int, core: int) -> None:
    """Keep every thread of the process and its descendants on one core; threads born later inherit it."""
    for member in tree(pid):
        for thread in Path(f"/proc/{member}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def resident_bytes(pid: int) -> int:
    """Resident memory of the process and its descendants; pages they share count once for each."""
    return sum(int(Path(f"/proc/{member}/statm").read_text().split()[1]) * _PAGE for member in tree(pid))


def cpu_seconds(pid: int) -> float:
    """User and system time that the process and its descendants have used so far."""
    total = 0
    for member in tree(pid):
        after_name = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        total += int(after_name[11]) + int(after_name[12])
    return total / _TICKS
