"""``authcenter clients initial-token``: who may register clients where the policy demands a token for that."""

from datetime import timedelta

import click

from authcenter.cli.arguments import id_argument
from authcenter.cli.descriptions import initial_token_description
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.registration import InitialAccessToken
from authcenter.core.secret import Secret
from authcenter.wiring.core import Core

_WEEK, _YEAR = 604_800, 31_536_000
_SHOWN_ONCE = "The token is shown this once: the server keeps only a digest of it."


@click.group("initial-token")
def initial_token() -> None:
    """Initial access tokens: they let others register clients (RFC 7591)."""


@initial_token.command("create")
@click.option("--ttl", type=click.IntRange(60, _YEAR), default=_WEEK, metavar="SECONDS", help="How long it holds.")
@click.option("--uses", type=click.IntRange(1, 10_000), default=1, metavar="N", help="How many clients it registers.")
@json_option
@click.pass_context
def create(ctx: click.Context, ttl: int, uses: int, as_json: bool) -> None:
    """Make one, and print it: this once."""

    async def act(core: Core) -> tuple[InitialAccessToken, Secret]:
        return await core.initial_tokens.create(timedelta(seconds=ttl), uses, actor())

    token, secret = run_on_record(ctx, act)
    show({"initial_access_token": secret.reveal()} | initial_token_description(token), as_json=as_json)
    if not as_json:
        click.echo(_SHOWN_ONCE, err=True)


@initial_token.command("list")
@json_option
@click.pass_context
def list_tokens(ctx: click.Context, as_json: bool) -> None:
    """List those that are kept, the oldest first."""
    tokens = run_on_record(ctx, lambda core: core.initial_tokens.list())
    show([initial_token_description(token) for token in tokens], as_json=as_json)


@initial_token.command("revoke")
@id_argument("token_id")
@click.pass_context
def revoke(ctx: click.Context, token_id: str) -> None:
    """Let nobody register with it any more."""
    run_on_record(ctx, lambda core: core.initial_tokens.revoke(token_id, actor()))
    click.echo(f"revoked {token_id}")
