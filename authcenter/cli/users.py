"""``authcenter users``: the people who sign in."""

from typing import Any, BinaryIO

import click

from authcenter.accounts.importing import import_users
from authcenter.cli.asking import read_new_password
from authcenter.cli.descriptions import user_description
from authcenter.cli.importing import dry_run_option, file_argument, read_lines, show_report
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.errors import Conflict
from authcenter.core.user import User, name_key
from authcenter.wiring.core import Core

_name_argument = click.argument("name", metavar="NAME")
_password_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@click.group("users")
def command() -> None:
    """Users. NAME is a user name, an address or a `sub`."""


@command.command("create")
@click.option("--username", required=True)
@click.option("--email", required=True)
@click.option("--role", "roles", multiple=True, metavar="R", help="A role it has.")
@click.option("--email-unverified", is_flag=True, help="It cannot sign in before its address is verified.")
@_password_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    username: str,
    email: str,
    roles: tuple[str, ...],
    email_unverified: bool,
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Make a user."""
    password = read_new_password(ctx, from_stdin=password_stdin)

    async def act(core: Core) -> User:
        try:
            return await core.accounts.create(
                username, email, password, roles, email_verified=not email_unverified, actor=actor()
            )
        except Conflict as taken:
            # The store speaks of its columns.
            raise Conflict("username or email: taken by another user") from taken

    show(user_description(run_on_record(ctx, act)), as_json=as_json)


@command.command("list")
@json_option
@click.pass_context
def list_users(ctx: click.Context, as_json: bool) -> None:
    """List all users."""
    users = sorted(run_on_record(ctx, lambda core: core.accounts.list()), key=lambda user: name_key(user.username))
    show([user_description(user) for user in users], as_json=as_json)


@command.command("show")
@_name_argument
@json_option
@click.pass_context
def show_user(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show one user."""
    show(user_description(run_on_record(ctx, lambda core: core.accounts.get(name))), as_json=as_json)


@command.command("disable")
@_name_argument
@json_option
@click.pass_context
def disable(ctx: click.Context, name: str, as_json: bool) -> None:
    """Let a user in no more, and refuse all its tokens."""
    show(user_description(run_on_record(ctx, lambda core: core.accounts.disable(name, actor=actor()))), as_json=as_json)


@command.command("enable")
@_name_argument
@json_option
@click.pass_context
def enable(ctx: click.Context, name: str, as_json: bool) -> None:
    """Let a user in again; tokens from before stay refused."""
    show(user_description(run_on_record(ctx, lambda core: core.accounts.enable(name, actor=actor()))), as_json=as_json)


@command.command("set-password")
@_name_argument
@_password_option
@json_option
@click.pass_context
def set_password(ctx: click.Context, name: str, password_stdin: bool, as_json: bool) -> None:
    """Set a password, and refuse all tokens from before."""
    password = read_new_password(ctx, from_stdin=password_stdin)
    user = run_on_record(ctx, lambda core: core.accounts.set_password(name, password, actor=actor()))
    show(user_description(user), as_json=as_json)


@command.command("logout")
@_name_argument
@json_option
@click.pass_context
def logout(ctx: click.Context, name: str, as_json: bool) -> None:
    """Refuse all that a user was given up to now."""
    show(user_description(run_on_record(ctx, lambda core: core.accounts.logout(name, actor=actor()))), as_json=as_json)


@command.command("import")
@file_argument
@dry_run_option
@json_option
@click.pass_context
def import_(ctx: click.Context, file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Take over users from JSON Lines, with the hashes of their passwords.

    One object a line: username, email, password_hash (argon2 or bcrypt), roles, email_verified, disabled, sub. Who is
    there already is skipped, so the same file can be imported again.
    """

    async def act(core: Core) -> Any:
        return await import_users(read_lines(file), core.accounts, actor=actor(), dry_run=dry_run)

    show_report(run_on_record(ctx, act), dry_run=dry_run, as_json=as_json)
