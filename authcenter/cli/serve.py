"""``authcenter serve``: the service."""

import click

from authcenter.cli.process import run_service
from authcenter.cli.session import read_settings


@click.command("serve")
@click.option("--workers", type=click.IntRange(min=1), help="Processes behind the listener (AUTHCENTER_WORKERS).")
@click.option("--demo", is_flag=True, help="Development only: make a demo client and user, and print a curl for them.")
@click.pass_context
def command(ctx: click.Context, workers: int | None, demo: bool) -> None:
    """Run the service until SIGTERM or SIGINT; it finishes what it has begun."""
    overrides = {"AUTHCENTER_WORKERS": str(workers)} if workers is not None else {}
    settings = read_settings(ctx, overrides)
    if demo and settings.env != "development":
        raise click.UsageError("--demo is for development", ctx)
    run_service(settings, demo=demo)
