"""What the imports share on the command line: reading a file of lines of any length, and saying what became of it."""

from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import click

from authcenter.cli.failure import CheckFailed
from authcenter.cli.session import show
from authcenter.core.json_lines import MAX_LINE_BYTES, Problem

_TOO_LONG = "." * (MAX_LINE_BYTES + 1)
"""Stands for a line that was not read to its end."""


class Report(Protocol):
    """What became of a file."""

    @property
    def created(self) -> int: ...

    @property
    def skipped(self) -> int: ...

    @property
    def failed(self) -> int: ...

    @property
    def problems(self) -> Sequence[Problem]: ...


def read_lines(file: BinaryIO) -> Iterator[str]:
    """The lines of ``file``, each read no further than is needed to see that it is too long."""
    # A line end and a byte order mark do not count as part of the line.
    longest = MAX_LINE_BYTES + 8
    while line := file.readline(longest):
        too_long = len(line) == longest and not line.endswith(b"\n")
        yield _TOO_LONG if too_long else line.decode(errors="surrogateescape")
        while too_long and line and not line.endswith(b"\n"):
            line = file.readline(longest)


def show_report(report: Report, *, dry_run: bool, as_json: bool) -> None:
    """Print it, whole as JSON.

    Raises:
        CheckFailed: With the problems, where a line failed.
    """
    counts = {"created": report.created, "skipped": report.skipped, "failed": report.failed, "dry_run": dry_run}
    if as_json:
        problems = [{"line": one.line, "field": one.field, "message": one.message} for one in report.problems]
        show({**counts, "problems": problems}, as_json=True)
    else:
        show(counts, as_json=False)
    if report.failed:
        raise CheckFailed(*map(str, report.problems))


file_argument = click.argument("file", type=click.File("rb"), default="-", metavar="[FILE|-]")
dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
