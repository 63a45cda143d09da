"""``authcenter resources``: the resource servers that tokens are made for."""

from collections.abc import Mapping, Sequence
from typing import Any

import click

from authcenter.cli.arguments import id_argument
from authcenter.cli.asking import require_consent, yes_option
from authcenter.cli.descriptions import resource_description
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.core.resource import Resource, ResourceScope
from authcenter.core.scope import is_scope_token
from authcenter.wiring.core import Core

_LONGEST_ROLE = 64

_name_option = click.option("--name", help="What people read.")
_scope_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    metavar="S[=TEXT]",
    help="A scope it defines, and its text for the consent page.",
)
_role_option = click.option(
    "--role-for", "roles", multiple=True, metavar="S=ROLE", help="The role that a person needs for a scope."
)


@click.group("resources")
def command() -> None:
    """Resource servers: audiences, their scopes, and the roles these demand."""


@command.command("create")
@click.option("--id", "resource_id", required=True, metavar="URI", help="Its identifier, the `aud` of its tokens.")
@_name_option
@_scope_option
@_role_option
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    resource_id: str,
    name: str | None,
    scopes: tuple[str, ...],
    roles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Register a resource server."""
    defined = _with_roles(_texts(scopes), _roles(ctx, roles))
    resource = run_on_record(ctx, lambda core: core.resources.create(resource_id, name or "", defined, actor()))
    _show(resource, as_json=as_json)


@command.command("list")
@json_option
@click.pass_context
def list_resources(ctx: click.Context, as_json: bool) -> None:
    """List all resource servers."""

    async def act(core: Core) -> Sequence[Resource]:
        return await core.stores.resources.list_resources()

    resources = sorted(run_on_record(ctx, act), key=lambda resource: resource.resource_id)
    show([_described(resource, as_json=as_json) for resource in resources], as_json=as_json)


@command.command("show")
@id_argument("resource_id")
@json_option
@click.pass_context
def show_resource(ctx: click.Context, resource_id: str, as_json: bool) -> None:
    """Show one resource server."""
    _show(run_on_record(ctx, lambda core: core.resources.get(resource_id)), as_json=as_json)


@command.command("update")
@id_argument("resource_id")
@_name_option
@_scope_option
@_role_option
@json_option
@click.pass_context
def update(
    ctx: click.Context,
    resource_id: str,
    name: str | None,
    scopes: tuple[str, ...],
    roles: tuple[str, ...],
    as_json: bool,
) -> None:
    """Change a resource server.

    --scope replaces all scopes, and those that stay keep their roles; --role-for replaces all roles. One empty value
    stands for none.
    """
    if name is None and not scopes and not roles:
        raise click.UsageError("nothing to change", ctx)
    wanted = _roles(ctx, roles)

    async def act(core: Core) -> Resource:
        old = (await core.resources.get(resource_id)).scopes
        defined = _texts(scopes) if scopes else {value: scope.text for value, scope in old.items()}
        kept = {value: scope.role for value, scope in old.items() if scope.role and value in defined}
        new = _with_roles(defined, wanted if roles else kept) if scopes or roles else None
        return await core.resources.update(resource_id, name, new, actor())

    _show(run_on_record(ctx, act), as_json=as_json)


@command.command("delete")
@id_argument("resource_id")
@yes_option
@click.pass_context
def delete(ctx: click.Context, resource_id: str, yes: bool) -> None:
    """Remove a resource server: no more tokens are made for it."""
    require_consent(ctx, f"Delete {resource_id!a}?", given=yes)
    run_on_record(ctx, lambda core: core.resources.delete(resource_id, actor()))
    click.echo(f"deleted {resource_id}")


def _texts(given: tuple[str, ...]) -> dict[str, str]:
    """Scope values and their texts."""
    pairs = () if given == ("",) else (one.partition("=") for one in given)
    return {value: text for value, _, text in pairs}


def _roles(ctx: click.Context, given: tuple[str, ...]) -> dict[str, str]:
    """Scope values and the roles they demand. Raises ``UsageError``."""
    roles: dict[str, str] = {}
    for one in () if given == ("",) else given:
        value, equals, role = one.partition("=")
        if not equals:
            raise click.BadParameter(f"{one!a:.80} is not SCOPE=ROLE", ctx, param_hint="--role-for")
        if not is_scope_token(role) or len(role) > _LONGEST_ROLE:
            raise click.BadParameter(f"{role!a:.80} cannot be a role", ctx, param_hint="--role-for")
        if roles.setdefault(value, role) != role:
            raise click.BadParameter(f"{value!a:.80} has two roles", ctx, param_hint="--role-for")
    return roles


def _with_roles(texts: Mapping[str, str], roles: Mapping[str, str | None]) -> dict[str, ResourceScope]:
    return {value: ResourceScope(texts.get(value, ""), roles.get(value)) for value in {**texts, **roles}}


def _show(resource: Resource, *, as_json: bool) -> None:
    show(_described(resource, as_json=as_json), as_json=as_json)


def _described(resource: Resource, *, as_json: bool) -> dict[str, Any]:
    described = resource_description(resource)
    if as_json:
        return described
    scopes = (
        " ".join(filter(None, (value, scope.text and f'"{scope.text}"', scope.role and f"(role {scope.role})")))
        for value, scope in sorted(resource.scopes.items())
    )
    return described | {"scopes": ", ".join(scopes) or None}
