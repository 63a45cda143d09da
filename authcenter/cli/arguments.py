"""Arguments and options that several commands take, checked where they come in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_LONGEST_REASON = 255
_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


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


def instant_before(text: str, now: datetime) -> datetime:
    """An instant as people write it: ISO 8601 (UTC where no zone is named), or how long before ``now``: ``90m``.

    Raises:
        ValueError: It is none.
    """
    if ago := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!a:.40} is no instant: write 2026-03-01T12:00Z, 90m, 2h or 7d") from None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
