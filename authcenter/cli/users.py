"""``authcenter users``: the people who sign in."""

import json
from collections.abc import Callable
from typing import Any, BinaryIO, TypeVar

import click

from authcenter.accounts.account import NewAccount
from authcenter.accounts.descriptions import user_description
from authcenter.accounts.importing import import_users
from authcenter.accounts.oversight import By
from authcenter.cli.asking import read_new_password
from authcenter.cli.importing import dry_run_option, file_argument, read_lines, show_report
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.cli.user_oversight import add_to
from authcenter.core.errors import Conflict
from authcenter.core.user import User, name_key
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_oversight

F = TypeVar("F", bound=Callable[..., Any])

_name_argument = click.argument("name", metavar="NAME")
_password_option = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


class Claim(click.ParamType[tuple[str, Any]]):
    """``NAME=VALUE``: true, false and what begins like an object are JSON, all else is text; an empty value: none."""

    name = "claim"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        if isinstance(value, tuple):
            return value
        name, mark, text = str(value).partition("=")
        if not mark:
            self.fail(f"{value!a:.80} is not NAME=VALUE", param, ctx)
        if not text:
            return name, None
        if text not in {"true", "false"} and not text.startswith("{"):
            return name, text
        try:
            return name, json.loads(text)
        except (ValueError, RecursionError):
            self.fail(f"the value of {name!a:.80} is not JSON", param, ctx)


def _claim_option(*, required: bool) -> Callable[[F], F]:
    return click.option(
        "--claim",
        "claims",
        type=Claim(),
        multiple=True,
        required=required,
        metavar="NAME=VALUE",
        help="A standard claim, such as given_name=Jo; an address as a JSON object.",
    )


@click.group("users")
def command() -> None:
    """Users. NAME is a user name, an address or a `sub`."""


add_to(command)


@command.command("create")
@click.option("--username", required=True)
@click.option("--email", required=True)
@click.option("--role", "roles", multiple=True, metavar="R", help="A role it has.")
@click.option("--email-unverified", is_flag=True, help="It cannot sign in before its address is verified.")
@_claim_option(required=False)
@_password_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    username: str,
    email: str,
    roles: tuple[str, ...],
    email_unverified: bool,
    claims: tuple[tuple[str, Any], ...],
    password_stdin: bool,
    as_json: bool,
) -> None:
    """Make a user."""
    password = read_new_password(ctx, from_stdin=password_stdin)

    async def act(core: Core) -> User:
        NewAccount(username, email, frozenset(roles)).check()
        await core.password_rules.check(password, (username, email))
        try:
            return await core.accounts.create(
                username,
                email,
                password,
                roles,
                email_verified=not email_unverified,
                claims={name: value for name, value in claims if value is not None},
                actor=actor(),
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

    async def act(core: Core) -> User:
        user = await core.accounts.get(name)
        await core.password_rules.check(password, (user.username, user.email))
        return await core.accounts.set_password(user.subject, password, actor=actor())

    show(user_description(run_on_record(ctx, act)), as_json=as_json)


@command.command("require-reset")
@_name_argument
@json_option
@click.pass_context
def require_reset(ctx: click.Context, name: str, as_json: bool) -> None:
    """Make a user set a new password at the next sign-in, and refuse all tokens from before."""
    user = run_on_record(ctx, lambda core: core.accounts.require_reset(name, actor=actor()))
    show(user_description(user), as_json=as_json)


@command.command("set-claims")
@_name_argument
@_claim_option(required=True)
@json_option
@click.pass_context
def set_claims(ctx: click.Context, name: str, claims: tuple[tuple[str, Any], ...], as_json: bool) -> None:
    """Change standard claims of a user; an empty value takes a claim away."""
    user = run_on_record(ctx, lambda core: core.accounts.set_claims(name, dict(claims), actor=actor()))
    show(user_description(user), as_json=as_json)


@command.command("logout")
@_name_argument
@json_option
@click.pass_context
def logout(ctx: click.Context, name: str, as_json: bool) -> None:
    """Refuse all that a user was given up to now."""
    show(user_description(run_on_record(ctx, lambda core: core.accounts.logout(name, actor=actor()))), as_json=as_json)


@command.command("reset-second-factors")
@_name_argument
@json_option
@click.pass_context
def reset_second_factors(ctx: click.Context, name: str, as_json: bool) -> None:
    """Take all second factors and recovery codes away from a user who has lost them; a mail tells them.

    Passkeys are among them. Then the password alone is enough, so make sure who is asking; who has none sets one by
    /password/forgot.
    """

    user = run_on_record(ctx, lambda core: build_oversight(core).reset_second_factors(name, By(actor())))
    show(user_description(user), as_json=as_json)


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
