"""``authcenter keys plan`` and ``pause``: rotation by policy, foreseen and stopped."""

import json
from datetime import UTC, datetime
from typing import Any

import click

from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.keys.oversight import pause_description
from authcenter.keys.schedule import Act
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_key_oversight

_MEANING = {
    Act.PUBLISH: "a new key is made and published",
    Act.SIGN: "begins to sign",
    Act.RETIRE: "verifies only",
    Act.DROP: "leaves the key set, its private half is destroyed",
}
_NEW_KEY = "(new)"


def _instant(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        read = datetime.fromisoformat(value)
        in_utc = read.astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise click.BadParameter(f"{value!a:.40} is no instant such as 2030-01-31T12:00:00Z", ctx, param) from problem
    if read.tzinfo is None:
        raise click.BadParameter(f"{value!a:.40} does not say its zone, such as Z for UTC", ctx, param)
    return in_utc


@click.command("plan")
@json_option
@click.pass_context
def plan(ctx: click.Context, as_json: bool) -> None:
    """Tell what is going to happen to the keys, and when. Nothing is changed."""
    foreseen = run_on_record(ctx, lambda core: build_key_oversight(core).foresee())
    if as_json:
        click.echo(json.dumps(foreseen, indent=2))
        return
    click.echo(_in_words(foreseen))
    for step in foreseen["steps"]:
        kid = step["kid"] or _NEW_KEY
        click.echo(f"{step['at']}  {step['alg']:<5}  {kid:<43}  {_MEANING[Act(step['act'])]}")


@click.command("pause")
@click.option("--until", callback=_instant, metavar="T", help="RFC 3339.")
@click.option("--resume", is_flag=True, help="Go on.")
@json_option
@click.pass_context
def pause(ctx: click.Context, until: datetime | None, resume: bool, as_json: bool) -> None:
    """Stop rotation by policy; what has been published already still signs when its time comes."""
    if resume and until is not None:
        raise click.UsageError("--resume and --until exclude each other", ctx)

    async def act(core: Core) -> dict[str, Any]:
        if resume:
            await core.brake.resume(actor())
            return pause_description(None)
        return pause_description(await core.brake.pause(until, actor()))

    show(run_on_record(ctx, act), as_json=as_json)


def _in_words(foreseen: dict[str, Any]) -> str:
    if not foreseen["rotate_every"]:
        return "Keys are rotated by hand (keys.rotate_every is 0)."
    every = f"Keys of {', '.join(foreseen['in_use'])} are replaced every {foreseen['rotate_every']} s"
    if not foreseen["paused"]:
        return f"{every}."
    until = f"until {foreseen['until']}" if foreseen["until"] else "until `keys pause --resume`"
    return f"{every}; paused by {foreseen['by']} since {foreseen['since']} {until}."
