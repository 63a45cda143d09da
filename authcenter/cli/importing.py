"""What the imports share on the command line: reading a file of lines of any length, and saying what became of it."""

import sys
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Protocol

import click

from authcenter.cli.failure import CHECK_FAILED
from authcenter.cli.session import show
from authcenter.core.json_lines import MAX_LINE_BYTES, Problem


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
        yield line.decode(errors="surrogateescape")
        while not line.endswith(b"\n") and (line := file.readline(longest)):
            pass


def show_report(ctx: click.Context, report: Report, *, dry_run: bool, as_json: bool) -> None:
    """Print it, problems on stderr one a line; exit 1 where a line failed."""
    counts = {"created": report.created, "skipped": report.skipped, "failed": report.failed, "dry_run": dry_run}
    if as_json:
        problems = [{"line": one.line, "field": one.field, "message": one.message} for one in report.problems]
        show({**counts, "problems": problems}, as_json=True)
    else:
        show(counts, as_json=False)
    for problem in report.problems:
        click.echo(f"authcenter: {problem}", err=True)
    if report.failed:
        sys.stdout.flush()
        ctx.exit(CHECK_FAILED)


file_argument = click.argument("file", type=click.File("rb"), default="-", metavar="[FILE|-]")
dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
