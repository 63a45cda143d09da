"""Arguments and options that several commands take, checked where they come in."""

from collections.abc import Callable
from typing import Any

import click

_LONGEST_REASON = 255


def id_argument(name: str) -> Callable[[Any], Any]:
    """The id of something that must be there already."""
    return click.argument(name, metavar="ID", callback=_printable)


def _printable(ctx: click.Context, param: click.Parameter, value: str) -> str:
    # Bytes of the command line that are not UTF-8 come as lone surrogates, which no database takes.
    if not value.isprintable():
        raise click.BadParameter(f"{value!a:.80} is no id", ctx, param)
    return value


def _reason(ctx: click.Context, param: click.Parameter, value: str) -> str:
    if not value.isprintable() or len(value) > _LONGEST_REASON:
        raise click.BadParameter(f"not at most {_LONGEST_REASON} printable characters", ctx, param)
    return value


reason_option = click.option(
    "--reason",
    default="revoked by an operator",
    callback=_reason,
    metavar="TEXT",
    help="For the record; never shown to clients.",
)
