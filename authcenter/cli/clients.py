"""``authcenter clients``: who may ask for tokens."""

from typing import Any, BinaryIO

import click

from authcenter.accounts.hash_formats import is_supported_hash
from authcenter.cli.arguments import id_argument
from authcenter.cli.asking import require_consent, yes_option
from authcenter.cli.client_options import changed_metadata, is_anything_given, metadata_options, new_metadata
from authcenter.cli.importing import dry_run_option, file_argument, read_lines, show_report
from authcenter.cli.initial_tokens import initial_token
from authcenter.cli.session import actor, json_option, run_on_record, show
from authcenter.clients.documents import client_description
from authcenter.clients.importing import import_clients
from authcenter.core.client import SECRET_METHODS, Client
from authcenter.core.secret import Secret
from authcenter.wiring.core import Core

_SHOWN_ONCE = "The secret is shown this once: the server keeps only an HMAC of it."


@click.group("clients")
def command() -> None:
    """Clients: who may ask for tokens."""


@command.command("create")
@click.option("--id", "client_id", required=True, help="Its client_id.")
@metadata_options
@json_option
@click.pass_context
def create(ctx: click.Context, /, client_id: str, as_json: bool, **given: Any) -> None:
    """Register a client, and print its secret: this once."""
    metadata = new_metadata(ctx, client_id, given)

    async def act(core: Core) -> tuple[Client, Secret | None]:
        return await core.clients.create(metadata, actor())

    client, secret = run_on_record(ctx, act)
    if not client.auth_methods:
        click.echo(
            "authcenter: warning: a fapi2 client authenticates by private_key_jwt or mutual TLS, which this version "
            "does not have yet: the client cannot get tokens",
            err=True,
        )
    _show_with_secret(client, secret, as_json=as_json)


@command.command("list")
@json_option
@click.pass_context
def list_clients(ctx: click.Context, as_json: bool) -> None:
    """List all clients."""

    async def act(core: Core) -> list[Client]:
        return list(await core.stores.clients.list_clients())

    clients = sorted(run_on_record(ctx, act), key=lambda client: client.client_id)
    show([client_description(client) for client in clients], as_json=as_json)


@command.command("show")
@id_argument("client_id")
@json_option
@click.pass_context
def show_client(ctx: click.Context, client_id: str, as_json: bool) -> None:
    """Show one client."""
    show(client_description(run_on_record(ctx, lambda core: core.clients.get(client_id))), as_json=as_json)


@command.command("update")
@id_argument("client_id")
@metadata_options
@click.option("--enable/--disable", "enable", default=None, help="Whether it and its tokens are accepted at all.")
@json_option
@click.pass_context
def update(ctx: click.Context, /, client_id: str, enable: bool | None, as_json: bool, **given: Any) -> None:
    """Change a client. A list that is given replaces the whole list; one empty value empties it."""
    changes_metadata = is_anything_given(given)
    if not changes_metadata and enable is None:
        raise click.UsageError("nothing to change", ctx)

    async def act(core: Core) -> Client:
        client = await core.clients.get(client_id)
        if changes_metadata:
            client = await core.clients.update(client_id, lambda old: changed_metadata(ctx, old, given), actor())
        if enable is not None and enable == (client.disabled_at is not None):
            switch = core.clients.enable if enable else core.clients.disable
            client = await switch(client_id, actor())
        return client

    client = run_on_record(ctx, act)
    if client.auth_methods & SECRET_METHODS and not client.secrets:
        click.echo(f"authcenter: {client_id} has no secret yet: run `clients rotate-secret {client_id}`", err=True)
    show(client_description(client), as_json=as_json)


@command.command("delete")
@id_argument("client_id")
@yes_option
@click.pass_context
def delete(ctx: click.Context, client_id: str, yes: bool) -> None:
    """Remove a client, and refuse all its tokens."""
    require_consent(ctx, f"Delete {client_id!a} and refuse all its tokens?", given=yes)
    run_on_record(ctx, lambda core: core.clients.delete(client_id, actor()))
    click.echo(f"deleted {client_id}")


@command.command("rotate-secret")
@id_argument("client_id")
@click.option("--end-old", is_flag=True, help="Refuse the old secrets at once; else the newest stays good beside it.")
@json_option
@click.pass_context
def rotate_secret(ctx: click.Context, client_id: str, end_old: bool, as_json: bool) -> None:
    """Give a client a new secret, and print it: this once."""
    client, secret = run_on_record(ctx, lambda core: core.clients.rotate_secret(client_id, actor(), end_old=end_old))
    _show_with_secret(client, secret, as_json=as_json)


@command.command("import")
@file_argument
@dry_run_option
@json_option
@click.pass_context
def import_(ctx: click.Context, file: BinaryIO, dry_run: bool, as_json: bool) -> None:
    """Take over clients from JSON Lines, with the hashes of their secrets.

    One object a line: client_id, client_name, client_secret_hash (argon2 or bcrypt), profile,
    token_endpoint_auth_method, grant_types, scope, audiences, serves, redirect_uris, origins, first_party. Who is
    there already is skipped, so the same file can be imported again.
    """

    async def act(core: Core) -> Any:
        return await import_clients(read_lines(file), core.clients, is_supported_hash, actor=actor(), dry_run=dry_run)

    show_report(run_on_record(ctx, act), dry_run=dry_run, as_json=as_json)


command.add_command(initial_token)


def _show_with_secret(client: Client, secret: Secret | None, *, as_json: bool) -> None:
    described = client_description(client)
    first = {"client_id": described.pop("client_id"), "client_secret": secret.reveal() if secret else None}
    show(first | described, as_json=as_json)
    if secret and not as_json:
        click.echo(_SHOWN_ONCE, err=True)
