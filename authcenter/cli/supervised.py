"""``authcenter supervised``: one worker of several, run by the supervisor of ``authcenter serve``."""

import click

from authcenter.cli.invocation import read_settings
from authcenter.cli.process import run_service
from authcenter.serving.link import Inheritance


@click.command("supervised", hidden=True)
@click.option("--number", type=int, required=True, help="The worker's number.")
@click.option("--link", type=int, required=True, help="Descriptor of the link to the supervisor.")
@click.option("--listener", "listeners", type=int, required=True, multiple=True, help="Descriptor of a public socket.")
@click.option("--demo", is_flag=True, help="Make the demo client and user.")
@click.pass_context
def command(ctx: click.Context, number: int, link: int, listeners: tuple[int, ...], demo: bool) -> None:
    """Run one worker. Only the supervisor calls this."""
    run_service(read_settings(ctx), demo=demo, inherited=Inheritance.of(number, listeners, link))
