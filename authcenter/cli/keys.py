"""``authcenter keys``: the keys that tokens are signed with."""

from typing import Any

import click

from authcenter.cli.arguments import reason_option
from authcenter.cli.asking import require_consent, yes_option
from authcenter.cli.failure import CheckFailed
from authcenter.cli.key_rotation import pause, plan
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict
from authcenter.core.event import Event, EventKind
from authcenter.jose.algorithms import Alg
from authcenter.keys.oversight import key_description
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_key_oversight

# A kid is base64url: one in 64 begins with a hyphen, and must not be taken for options.
_KID_FIRST = {"ignore_unknown_options": True, "help_option_names": ["--help"]}

alg_option = click.option(
    "--alg", type=click.Choice([one.value for one in Alg]), help="Default: the policy's tokens.signing_alg."
)


@click.group("keys")
def command() -> None:
    """Signing keys."""


command.add_command(plan)
command.add_command(pause)


@command.command("list")
@json_option
@click.pass_context
def list_keys(ctx: click.Context, as_json: bool) -> None:
    """List all keys; `opens` says whether this machine's passphrases open the private key."""

    show(run_on_record(ctx, lambda core: build_key_oversight(core).listed()), as_json=as_json)


@command.command("rotate")
@alg_option
@click.option("--now", is_flag=True, help="Sign with it at once; else after keys.publish_before_use seconds.")
@json_option
@click.pass_context
def rotate(ctx: click.Context, alg: str | None, now: bool, as_json: bool) -> None:
    """Make and publish a key that is going to sign."""

    show(run_on_record(ctx, lambda core: build_key_oversight(core).rotate(alg, actor(), now=now)), as_json=as_json)


@command.command("retire", context_settings=_KID_FIRST)
@click.argument("kid")
@json_option
@click.pass_context
def retire(ctx: click.Context, kid: str, as_json: bool) -> None:
    """Let a key verify only."""

    show(run_on_record(ctx, lambda core: build_key_oversight(core).retire(kid, actor())), as_json=as_json)


@command.command("revoke", context_settings=_KID_FIRST)
@click.argument("kid")
@reason_option
@yes_option
@json_option
@click.pass_context
def revoke(ctx: click.Context, kid: str, reason: str, yes: bool, as_json: bool) -> None:
    """Refuse whatever a key has signed, now and for good; where it signs, a new one takes over at once."""
    require_consent(ctx, f"Refuse every token that {kid!a} has signed?", given=yes)

    show(run_on_record(ctx, lambda core: build_key_oversight(core).revoke(kid, reason, actor())), as_json=as_json)


@command.command("rollback")
@alg_option
@json_option
@click.pass_context
def rollback(ctx: click.Context, alg: str | None, as_json: bool) -> None:
    """Take back the newest key: the one before signs again at once; whatever the newest has signed still verifies."""

    async def act(core: Core) -> dict[str, Any]:
        before, newest = await core.rotation.roll_back(_wanted(core, alg), actor())
        return {"signs": _described(core, before.kid), "taken_back": _described(core, newest.kid)}

    show(run_on_record(ctx, act), as_json=as_json)


@command.command("reencrypt")
@json_option
@click.pass_context
def reencrypt(ctx: click.Context, as_json: bool) -> None:
    """Encrypt every private key anew with the first passphrase; exit 1 where one cannot be opened."""
    done, unopened = run_on_record(ctx, lambda core: core.rotation.reencrypt(actor()))
    show({"reencrypted": done, "unopened": unopened}, as_json=as_json)
    if unopened:
        raise CheckFailed(f"no passphrase opens {', '.join(unopened)}")


@command.command("restore")
@yes_option
@json_option
@click.pass_context
def restore(ctx: click.Context, yes: bool, as_json: bool) -> None:
    """Put the last good keys back in Consul, in the place of a document that is refused."""
    require_consent(ctx, "Replace the keys document in Consul by the last good one?", given=yes)

    async def act(core: Core) -> dict[str, Any]:
        if core.stores.keys_in_consul is None:
            raise Conflict("the keys are in the database: there is nothing to restore")
        event = Event(EventKind.KEYS_RESTORED, actor())
        return {"generation": await core.stores.keys_in_consul.restore(Consequences(events=(event,)))}

    show(run_on_record(ctx, act), as_json=as_json)


def _wanted(core: Core, alg: str | None) -> Alg:
    return Alg(alg or core.policy.current.tokens.signing_alg)


def _described(core: Core, kid: str) -> dict[str, Any]:
    ring = core.keys.ring
    return key_description(ring.keys[kid], ring.states[kid])
