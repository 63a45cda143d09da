"""``authcenter tokens``: look at one, or refuse some."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import click

from authcenter.cli.arguments import reason_option
from authcenter.cli.asking import read_token, require_consent, yes_option
from authcenter.cli.failure import CheckFailed
from authcenter.cli.session import json_option, run_on_record, show
from authcenter.cli.token_inspection import inspect_token
from authcenter.cli.token_revocation import InstantParam, revoke_target, revoke_token, target_of
from authcenter.core.cut import CutKind


@click.group("tokens")
def command() -> None:
    """Tokens that were issued."""


@command.command("inspect")
@json_option
@click.pass_context
def inspect(ctx: click.Context, as_json: bool) -> None:
    """Read a token on standard input, and tell whether it would be accepted, and why not; exit 1 if not.

    Its audience and binding are for the resource server to check. The token itself is never printed.
    """
    token = read_token(ctx)
    inspection = run_on_record(ctx, lambda core: inspect_token(core, token))
    show(inspection.described if as_json else _flat(inspection.described), as_json=as_json)
    if not inspection.accepted:
        raise CheckFailed


@command.command("revoke")
@click.option("--token-stdin", is_flag=True, help="The token on standard input; a refresh token's whole family.")
@click.option("--jti", metavar="J", help="One access token, by its jti.")
@click.option("--family", metavar="F", help="All of one approval, by its fam.")
@click.option("--session", metavar="S", help="All of one sign-in, by its sid.")
@click.option("--subject", metavar="S", help="All of one subject until now, by its sub.")
@click.option("--client", metavar="C", help="All of one client until now, by its client_id.")
@click.option(
    "--issued-before",
    type=InstantParam(),
    metavar="T",
    help="What was issued until then, ISO 8601 or Unix seconds: of --subject or --client, or else everything.",
)
@reason_option
@yes_option
@json_option
@click.pass_context
def revoke(
    ctx: click.Context,
    token_stdin: bool,
    jti: str | None,
    family: str | None,
    session: str | None,
    subject: str | None,
    client: str | None,
    issued_before: datetime | None,
    reason: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Refuse tokens before they expire: one, or all that belong together."""
    named = {
        CutKind.JTI: jti,
        CutKind.FAMILY: family,
        CutKind.SESSION: session,
        CutKind.SUBJECT: subject,
        CutKind.CLIENT: client,
    }
    target = target_of(ctx, named, issued_before)
    if token_stdin == (target is not None):
        raise click.UsageError("name one thing to revoke", ctx)
    if target is None:
        token = read_token(ctx)
        revoked = run_on_record(ctx, lambda core: revoke_token(core, token, reason))
    else:
        if target.is_everything:
            require_consent(ctx, f"Refuse every token issued until {issued_before}, everybody's?", given=yes)
        revoked = run_on_record(ctx, lambda core: revoke_target(core, target, reason))
    show(revoked, as_json=as_json)


def _flat(described: Mapping[str, Any]) -> dict[str, Any]:
    """For people: header and claims one a line, times readable beside them."""
    flat = {name: value for name, value in described.items() if name not in ("header", "claims", "times")}
    times = described.get("times", {})
    flat |= {f"header {name}": value for name, value in described.get("header", {}).items()}
    for name, value in described.get("claims", {}).items():
        flat[f"claim {name}"] = f"{value} ({times[name]})" if times.get(name) else value
    return flat
