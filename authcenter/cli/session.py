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
from authcenter.settings.live import LivePolicy
from authcenter.settings.policy import Policy
from authcenter.wiring.core import Core, build_core
from authcenter.wiring.policy import policy_now
from authcenter.wiring.record import open_record

T = TypeVar("T")

_REDIS_SECONDS = 2.0
"""A command has more time than a request: what it cannot tell Redis, others learn seconds later."""


def run_on_record(ctx: click.Context, act: Callable[[Core], Awaitable[T]], policy: Policy | None = None) -> T:
    """Run ``act`` on the record. In development the schema is brought up first, so that any command may come first.

    Args:
        policy: What to act under; None: what is in force.

    Raises:
        SettingsError, StoreUnavailable: and whatever ``act`` raises.
    """
    settings = read_settings(ctx)
    return asyncio.run(_run(settings, act, policy))


async def _run(settings: BootSettings, act: Callable[[Core], Awaitable[T]], given: Policy | None) -> T:
    policy = LivePolicy(given or await _policy_in_force(settings))
    hashing, clock = PasswordHashing(), SystemClock()
    async with open_record(settings, clock, redis_seconds=_REDIS_SECONDS, environ=os.environ) as record:
        state = await record.schema()
        if state.pending and settings.env == "development":
            state = await record.upgrade_schema()
        if state.pending:
            raise StoreUnavailable("the database's schema is not the newest: run `authcenter db upgrade`")
        try:
            return await act(build_core(settings, policy, record.stores, hashing, clock))
        finally:
            hashing.close()


async def _policy_in_force(settings: BootSettings) -> Policy:
    found = await policy_now(settings, os.environ)
    if not found.known:
        # Not refused: whoever disables a user must not have to repair Consul first.
        click.echo("authcenter: the policy in force is not known: going on with the built-in one", err=True)
    return found.policy


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
