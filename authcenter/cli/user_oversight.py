"""``authcenter users``: finding people, their roles, and what hangs on their accounts."""

from typing import Any

import click

from authcenter.accounts.descriptions import identity_description, session_description, user_description
from authcenter.accounts.oversight import By
from authcenter.accounts.roles import set_roles
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.user import name_key
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_oversight

_MOST_FOUND = 1_000
_name_argument = click.argument("name", metavar="NAME")


def add_to(group: click.Group) -> None:
    """Add the commands to ``users``."""
    for command in (_search, _set_roles, _sessions, _end_session, _identities, _unlink, _second_factors):
        group.add_command(command)


@click.command("search")
@click.argument("begins", metavar="BEGINS")
@click.option("--limit", type=click.IntRange(1, _MOST_FOUND), default=50, show_default=True, help="At most so many.")
@click.option("--after", default="", metavar="NAME", help="Go on after this user name, the last of a list before.")
@json_option
@click.pass_context
def _search(ctx: click.Context, begins: str, limit: int, after: str, as_json: bool) -> None:
    """Find users whose name, address or `sub` begins with BEGINS."""
    for text in (begins, after):
        if not text.isprintable():
            raise click.BadParameter(f"{text!a:.80} begins no name", ctx)

    async def act(core: Core) -> Any:
        return await build_oversight(core).search(begins, after=name_key(after), most=limit + 1)

    found = run_on_record(ctx, act)
    show([user_description(user) for user in found[:limit]], as_json=as_json)
    if len(found) > limit:
        click.echo(f"authcenter: there are more: --after {found[limit - 1].username!a}", err=True)


@click.command("set-roles")
@_name_argument
@click.option("--role", "roles", multiple=True, metavar="R", help="A role it is to have; none: it has no roles.")
@json_option
@click.pass_context
def _set_roles(ctx: click.Context, name: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Give a user just these roles; where that takes one away, refuse all tokens from before.

    `operator` may use the admin API and the console.
    """
    user = run_on_record(ctx, lambda core: set_roles(core.accounts, name, roles, actor=actor()))
    show(user_description(user), as_json=as_json)


@click.command("sessions")
@_name_argument
@json_option
@click.pass_context
def _sessions(ctx: click.Context, name: str, as_json: bool) -> None:
    """List the browsers that a user is signed in with, the most recently active first."""
    found = run_on_record(ctx, lambda core: build_oversight(core).sessions_of(name))
    show([session_description(one.session, one.clients) for one in found], as_json=as_json)


@click.command("end-session")
@_name_argument
@click.argument("sid", metavar="SID")
@click.pass_context
def _end_session(ctx: click.Context, name: str, sid: str) -> None:
    """End one session of a user, with all tokens that came of it."""
    run_on_record(ctx, lambda core: build_oversight(core).end_session(name, sid, By(actor())))


@click.command("identities")
@_name_argument
@json_option
@click.pass_context
def _identities(ctx: click.Context, name: str, as_json: bool) -> None:
    """List the identities elsewhere that sign a user in."""
    found = run_on_record(ctx, lambda core: build_oversight(core).identities_of(name))
    show([identity_description(one) for one in found], as_json=as_json)


@click.command("unlink")
@_name_argument
@click.argument("provider", metavar="PROVIDER")
@click.argument("provider_subject", metavar="PROVIDER_SUBJECT")
@click.pass_context
def _unlink(ctx: click.Context, name: str, provider: str, provider_subject: str) -> None:
    """Take an identity elsewhere away from a user, as `users identities` lists it; a mail tells them."""
    run_on_record(ctx, lambda core: build_oversight(core).unlink(name, provider, provider_subject, By(actor())))


@click.command("second-factors")
@_name_argument
@json_option
@click.pass_context
def _second_factors(ctx: click.Context, name: str, as_json: bool) -> None:
    """List which second factors a user has."""
    found = run_on_record(ctx, lambda core: build_oversight(core).factors_of(name))
    show([{"factor": factor.value} for factor in sorted(found)], as_json=as_json)
