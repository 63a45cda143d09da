"""What each error means on the command line."""

import os
import sys
from dataclasses import dataclass

import click

from authcenter.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from authcenter.settings.errors import PolicyError, SettingsError

CHECK_FAILED, WRONG_USAGE = 1, 2


class CheckFailed(Exception):
    """What was asked was done, and the answer is no. ``args``: lines for stderr beside what was printed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Lines for stderr, and an exit code."""

    lines: tuple[str, ...]
    exit_code: int


_EXIT_CODES = (
    ((InvalidInput, OSError), WRONG_USAGE),
    ((Conflict, NotFound, Unavailable), CHECK_FAILED),
)


def failure_of(problem: Exception) -> Failure:
    """The failure that ``problem`` is; raises it again where it is a defect of ours."""
    if isinstance(problem, BrokenPipeError):
        _quieten_stdout()
        return Failure((), CHECK_FAILED)
    if isinstance(problem, SettingsError | PolicyError):
        return Failure(tuple(problem.problems), WRONG_USAGE)
    if isinstance(problem, CheckFailed):
        return Failure(problem.args, CHECK_FAILED)
    for kinds, exit_code in _EXIT_CODES:
        if isinstance(problem, kinds):
            return Failure((str(problem),), exit_code)
    return _failure_of_usage(problem)


def _failure_of_usage(problem: Exception) -> Failure:
    """What click raises."""
    match problem:
        case click.exceptions.Exit(exit_code=code):
            return Failure((), code)
        case click.Abort():
            return Failure(("aborted",), CHECK_FAILED)
        case click.UsageError(ctx=ctx) if ctx is not None:
            return Failure((f"{_sentence(problem)} See `{ctx.command_path} --help`.",), WRONG_USAGE)
        case click.ClickException(exit_code=code):
            return Failure((_sentence(problem),), code)
    raise problem


def _sentence(problem: click.ClickException) -> str:
    """In one line, with an end."""
    sentence = " ".join(problem.format_message().split())
    return sentence if sentence.endswith((".", "?", "!")) else f"{sentence}."


def _quieten_stdout() -> None:
    # What is still buffered would fail once more, and loudly, as the interpreter exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
