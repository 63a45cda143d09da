"""``authcenter policy``: the hot policy, checked, shown, pushed and rolled back."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from authcenter.cli.asking import require_consent, require_terminal, yes_option
from authcenter.cli.failure import CheckFailed
from authcenter.cli.invocation import read_settings
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.client import Client
from authcenter.core.errors import Unavailable
from authcenter.core.event import Event
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import KeyState
from authcenter.settings.boot_sources import read_small_file
from authcenter.settings.errors import PolicyError
from authcenter.settings.impact import impact
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.policy_store import PolicyStore
from authcenter.settings.pushing import Proposal, propose, push_and_record, version_to_return_to
from authcenter.wiring.core import Core
from authcenter.wiring.policy import open_policy_store, policy_now

T = TypeVar("T")

_file_argument = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group("policy")
def command() -> None:
    """The hot policy: in Consul, or in the policy file where there is no Consul."""


@command.command("check")
@_file_argument
@click.pass_context
def check(ctx: click.Context, file: Path) -> None:
    """Validate FILE and show what it would change. Writes nothing."""
    text = _read(ctx, file)
    _validate(text, str(file))
    _show(ctx, _proposal(ctx, text))


@command.command("push")
@_file_argument
@yes_option
@json_option
@click.pass_context
def push_file(ctx: click.Context, file: Path, yes: bool, as_json: bool) -> None:
    """Put FILE in force, after showing what it changes.

    Refused where somebody else has pushed since that was read.
    """
    require_terminal(ctx, given=yes)
    text = _read(ctx, file)
    _validate(text, str(file))
    _push(ctx, _proposal(ctx, text), "push", yes=yes, as_json=as_json)


@command.command("rollback")
@click.argument("version", required=False)
@yes_option
@json_option
@click.pass_context
def rollback(ctx: click.Context, version: str | None, yes: bool, as_json: bool) -> None:
    """Put a kept VERSION in force again; without one, the newest that is not in force."""
    require_terminal(ctx, given=yes)
    kept = _at_the_store(ctx, lambda store: version_to_return_to(store, version))
    _push(ctx, _proposal(ctx, kept.text), "rollback", yes=yes, as_json=as_json)


@command.command("show")
@json_option
@click.pass_context
def show_policy(ctx: click.Context, as_json: bool) -> None:
    """Show the policy in force, its version, where it is from, and the versions that are kept.

    While Consul does not answer this is the last good copy of this machine.
    """
    found = asyncio.run(policy_now(read_settings(ctx), os.environ))
    if not found.known:
        raise CheckFailed("the policy in force is not known: Consul tells none, and this machine has no good copy")
    document = found.policy.model_dump(mode="json")
    head: dict[str, Any] = {"version": found.policy.version, "source": found.source, "kept": _kept(ctx)}
    if as_json:
        show(head | {"policy": document}, as_json=True)
        return
    show(head, as_json=False)
    click.echo()
    click.echo(yaml.safe_dump(document, sort_keys=False), nl=False)


def _kept(ctx: click.Context) -> list[str]:
    """The kept versions, the newest first; none while the store does not answer."""
    try:
        return [kept.version for kept in _at_the_store(ctx, lambda store: store.versions())]
    except Unavailable:
        return []


def _read(ctx: click.Context, file: Path) -> str:
    try:
        return read_small_file(file)
    except ValueError as problem:
        raise click.UsageError(f"{file}: {problem}", ctx) from problem


def _validate(text: str, name: str) -> None:
    try:
        parse_policy(text, source="file")
    except PolicyError as error:
        raise CheckFailed(*(f"{name}: {problem}" for problem in error.problems)) from None


def _proposal(ctx: click.Context, text: str) -> Proposal:
    try:
        return _at_the_store(ctx, lambda store: propose(store, text))
    except PolicyError as error:
        raise CheckFailed(*error.problems) from None


def _show(ctx: click.Context, proposal: Proposal, *, err: bool = False) -> None:
    if proposal.changes_nothing:
        click.echo(f"Nothing changes: {proposal.after.version} is in force already.", err=err)
        return
    if proposal.over is not None and proposal.before is None:
        click.echo("What is held now does not validate: compared with the built-in defaults.", err=err)
    if proposal.difference:
        click.echo(proposal.difference, err=err)
    clients, algs = run_on_record(ctx, _facts, proposal.before or Policy())
    for sentence in impact(proposal.before or Policy(), proposal.after, clients, algs):
        click.echo(f"Impact: {sentence}", err=err)


async def _facts(core: Core) -> tuple[list[Client], set[str]]:
    """The clients, and the algorithms that have a key to sign with."""
    await core.keys.reload()
    ring = core.keys.ring
    signing = {str(key.alg) for kid, key in ring.keys.items() if ring.states[kid] is KeyState.CURRENT}
    # A service that finds no keys at all makes them as it starts.
    return list(await core.stores.clients.list_clients()), signing if ring.keys else set(Alg)


def _push(ctx: click.Context, proposal: Proposal, cause: str, *, yes: bool, as_json: bool) -> None:
    # With --json, standard output is for the program that reads it.
    _show(ctx, proposal, err=as_json)
    if not proposal.changes_nothing:
        require_consent(ctx, "Put this policy in force?", given=yes)
        run_on_record(ctx, lambda core: _push_and_record(ctx, core, proposal, cause), proposal.after)
    done = {"replaced": proposal.replaced or None, "pushed": not proposal.changes_nothing}
    show({"version": proposal.after.version, **done}, as_json=as_json)


async def _push_and_record(ctx: click.Context, core: Core, proposal: Proposal, cause: str) -> None:
    async def record(event: Event) -> None:
        try:
            await core.stores.audit.append(event)
        except Unavailable as failure:
            what = "may be" if "outcome" in event.context else "is"
            raise CheckFailed(
                f"{proposal.after.version} {what} in force, but the audit log does not have it: {failure}"
            ) from failure

    async with open_policy_store(read_settings(ctx), os.environ) as store:
        now = core.clock.now()
        await push_and_record(store, proposal, actor=actor(), cause=cause, at=now, record=record)


def _at_the_store(ctx: click.Context, act: Callable[[PolicyStore], Awaitable[T]]) -> T:
    async def opened() -> T:
        async with open_policy_store(read_settings(ctx), os.environ) as store:
            return await act(store)

    return asyncio.run(opened())
