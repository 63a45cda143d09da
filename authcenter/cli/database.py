"""``authcenter db``: schema migrations."""

import asyncio
from collections.abc import Awaitable, Callable

import click

from authcenter.cli.invocation import read_settings
from authcenter.cli.session import json_option, show
from authcenter.core.clock import SystemClock
from authcenter.settings.boot import BootSettings
from authcenter.stores.ports.schema import SchemaState
from authcenter.wiring.record import Record, open_record


@click.group("db")
def command() -> None:
    """Schema migrations."""


@command.command("upgrade")
@json_option
@click.pass_context
def upgrade(ctx: click.Context, as_json: bool) -> None:
    """Bring the database to this version's schema."""
    _show(asyncio.run(_on_record(read_settings(ctx), Record.upgrade_schema)), as_json=as_json)


@command.command("current")
@json_option
@click.pass_context
def current(ctx: click.Context, as_json: bool) -> None:
    """Show which schema the database has; exit 1 while migrations are pending."""
    state = asyncio.run(_on_record(read_settings(ctx), Record.schema))
    _show(state, as_json=as_json)
    if state.pending:
        ctx.exit(1)


async def _on_record(settings: BootSettings, act: Callable[[Record], Awaitable[SchemaState]]) -> SchemaState:
    async with open_record(settings, SystemClock()) as record:
        return await act(record)


def _show(state: SchemaState, *, as_json: bool) -> None:
    show({"current": state.current, "newest": state.newest, "pending": state.pending}, as_json=as_json)
