"""The command ``authcenter``: its subcommands, and the one place where an error becomes a line and an exit code."""

import importlib
import sys
from pathlib import Path
from typing import Any

import click

from authcenter.cli.failure import Failure, failure_of

_COMMANDS = {
    "serve": "authcenter.cli.serve",
    "worker": "authcenter.cli.worker",
    "db": "authcenter.cli.database",
    "clients": "authcenter.cli.clients",
    "resources": "authcenter.cli.resources",
    "users": "authcenter.cli.users",
    "keys": "authcenter.cli.keys",
    "tokens": "authcenter.cli.tokens",
    "supervised": "authcenter.cli.supervised",
    "policy": "authcenter.cli.policy",
    "audit": "authcenter.cli.audit",
    "explain": "authcenter.cli.explain",
    "doctor": "authcenter.cli.doctor",
    "conformance": "authcenter.cli.conformance",
}


class _LazyGroup(click.Group):
    """Imports a subcommand when it is used: `--help` need not wait for the whole server."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="YAML file with boot settings; the environment wins over it.",
)
@click.version_option(package_name="authcenter", prog_name="authcenter")
@click.pass_context
def command(ctx: click.Context, settings_file: Path | None) -> None:
    """An OAuth 2.0/2.1 and OpenID Connect authorization server."""
    ctx.obj = settings_file


def main() -> None:
    """Run the command line. Errors are one line each on stderr, never a traceback."""
    try:
        exit_code = command(prog_name="authcenter", standalone_mode=False)
    except Exception as problem:  # noqa: BLE001 - the last exit: what is not known here is raised again
        _leave(failure_of(problem))
    else:
        # What a command left by `ctx.exit`; any other return value is none.
        sys.exit(exit_code if isinstance(exit_code, int) else 0)


def _leave(failure: Failure) -> Any:
    for line in failure.lines:
        click.echo(f"authcenter: {line}", err=True)
    sys.exit(failure.exit_code)
