"""What each error means on the command line."""

from dataclasses import dataclass

import click

from authcenter.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from authcenter.settings.errors import PolicyError, SettingsError

CHECK_FAILED, WRONG_USAGE = 1, 2


@dataclass(frozen=True, slots=True)
class Failure:
    """Lines for stderr, and an exit code."""

    lines: tuple[str, ...]
    exit_code: int


def failure_of(problem: Exception) -> Failure:
    """The failure that ``problem`` is; raises it again where it is a defect of ours."""
    match problem:
        case click.Abort():
            return Failure(("aborted",), CHECK_FAILED)
        case click.exceptions.Exit(exit_code=code):
            return Failure((), code)
        case click.UsageError(ctx=ctx) if ctx is not None:
            return Failure((f"{problem.format_message()} See `{ctx.command_path} --help`.",), WRONG_USAGE)
        case click.ClickException():
            return Failure((problem.format_message(),), problem.exit_code)
        case SettingsError() | PolicyError():
            return Failure(tuple(problem.problems), WRONG_USAGE)
        case InvalidInput():
            return Failure((str(problem),), WRONG_USAGE)
        case Conflict() | NotFound() | Unavailable():
            return Failure((str(problem),), CHECK_FAILED)
        case BrokenPipeError():
            return Failure((), CHECK_FAILED)
        case OSError():
            return Failure((str(problem),), WRONG_USAGE)
        case _:
            raise problem
