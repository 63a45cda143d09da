"""One command's work on the record: settings read, database opened, the act run, everything closed."""

import asyncio
import getpass
import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

from authcenter.accounts.passwords import PasswordHashing
from authcenter.cli.invocation import read_settings
from authcenter.core.clock import SystemClock
from authcenter.core.errors import StoreUnavailable
from authcenter.settings.boot import BootSettings
from authcenter.settings.file import boot_policy
from authcenter.settings.live import LivePolicy
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.record import open_record

T = TypeVar("T")


def run_on_record(ctx: click.Context, act: Callable[[Core], Awaitable[T]]) -> T:
    """Run ``act`` on the record. In development the schema is brought up first, so that any command may come first.

    Raises:
        SettingsError, StoreUnavailable: and whatever ``act`` raises.
    """
    settings = read_settings(ctx)
    return asyncio.run(_run(settings, act))


async def _run(settings: BootSettings, act: Callable[[Core], Awaitable[T]]) -> T:
    policy = LivePolicy(boot_policy(settings.policy_file, may_be_absent=settings.policy_file_is_default))
    hashing, clock = PasswordHashing(), SystemClock()
    async with open_record(settings, clock) as record:
        state = await record.schema()
        if state.pending and settings.env == "development":
            state = await record.upgrade_schema()
        if state.pending:
            raise StoreUnavailable("the database's schema is not the newest: run `authcenter db upgrade`")
        try:
            return await act(build_core(settings, policy, record.stores, hashing, clock))
        finally:
            hashing.close()


def actor() -> str:
    """Who acts, for the audit log."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return f"cli:{os.getuid()}"


def show(value: Mapping[str, Any] | Sequence[Mapping[str, Any]], *, as_json: bool) -> None:
    """Print one thing, or a list of them, for people or as JSON."""
    if as_json:
        click.echo(json.dumps(value, indent=2, ensure_ascii=False))
        return
    many = [value] if isinstance(value, Mapping) else value
    for number, one in enumerate(many):
        if number:
            click.echo()
        width = max(map(len, one), default=0)
        for name, field in one.items():
            click.echo(f"{name:<{width}}  {_text(field)}")


def _text(value: Any) -> str:
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case list():
            return " ".join(map(_text, value)) or "-"
        case dict():
            return ", ".join(f"{name}={_text(one)}" for name, one in value.items()) or "-"
        case _:
            return str(value)


json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
