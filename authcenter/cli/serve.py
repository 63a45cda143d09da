"""``authcenter serve``: the service."""

import importlib

import click

from authcenter.cli.invocation import read_settings
from authcenter.cli.supervisor import run_supervisor


@click.command("serve")
@click.option("--workers", type=click.IntRange(min=1), help="Processes behind the listener (AUTHCENTER_WORKERS).")
@click.option("--demo", is_flag=True, help="Development only: make a demo client and user, and print a curl for them.")
@click.pass_context
def command(ctx: click.Context, workers: int | None, demo: bool) -> None:
    """Run the service until SIGTERM or SIGINT; it finishes what it has begun.

    Several workers are replaced one after the other on SIGHUP.
    """
    overrides = {"AUTHCENTER_WORKERS": str(workers)} if workers is not None else {}
    settings = read_settings(ctx, overrides)
    if demo and settings.env != "development":
        raise click.UsageError("--demo is for development", ctx)
    if settings.workers == 1:
        # A supervisor serves nothing: what serving takes in memory is not for it.
        importlib.import_module("authcenter.cli.process").run_service(settings, demo=demo)
    else:
        run_supervisor(settings, ctx.find_root().obj, demo=demo)
