"""``authcenter worker``: background jobs outside the service."""

import importlib

import click

from authcenter.cli.invocation import read_settings


@click.command("worker")
@click.option("--ops-port", type=click.IntRange(0, 65535), help="Port for /metrics and probes (AUTHCENTER_OPS_PORT).")
@click.pass_context
def command(ctx: click.Context, ops_port: int | None) -> None:
    """Send mail, tell clients of sign-outs, rotate keys and delete what has lapsed, until SIGTERM or SIGINT.

    As many as wanted may run, beside the service, which does the same in its own processes; each job is one's alone.
    """
    overrides = {"AUTHCENTER_OPS_PORT": str(ops_port)} if ops_port is not None else {}
    settings = read_settings(ctx, {**overrides, "AUTHCENTER_WORKERS": "1"})
    importlib.import_module("authcenter.cli.process").run_service(settings, public=False)
