"""``authcenter conformance``: what a run of the OpenID Foundation's suite needs, and the configuration to give it."""

import json
import secrets
from collections.abc import Mapping
from typing import Any

import click

from authcenter.cli.invocation import read_settings
from authcenter.cli.session import actor, run_on_record
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.errors import NotFound
from authcenter.core.relying_party import RelyingParty
from authcenter.core.secret import Secret
from authcenter.wiring.core import Core

USERNAME = "conformance"
CLAIMS: Mapping[str, Any] = {
    "name": "Jo Quinn Tester",
    "given_name": "Jo",
    "family_name": "Tester",
    "middle_name": "Quinn",
    "nickname": "Jojo",
    "profile": "https://example.com/jo",
    "picture": "https://example.com/jo/picture.png",
    "website": "https://example.com/",
    "gender": "female",
    "birthdate": "1990-05-17",
    "zoneinfo": "Europe/Berlin",
    "locale": "en-US",
    "phone_number": "+1 (425) 555-1212",
    "phone_number_verified": True,
    "address": {
        "formatted": "12 Elm Street\nSpringfield, OR 97477\nUSA",
        "street_address": "12 Elm Street",
        "locality": "Springfield",
        "region": "OR",
        "postal_code": "97477",
        "country": "USA",
    },
}
"""With those that the account itself tells, all that OpenID Connect Core §5.1 knows."""

_GRANTS = frozenset({"authorization_code", "refresh_token"})
_SCOPES = frozenset({"openid", "profile", "email", "address", "phone", "offline_access"})
_CLIENTS = {
    "client": ("conformance-1", AuthMethod.SECRET_BASIC, ""),
    "client2": ("conformance-2", AuthMethod.SECRET_BASIC, "?dummy1=lorem&dummy2=ipsum"),
    "client_secret_post": ("conformance-post", AuthMethod.SECRET_POST, ""),
}
"""By their place in the suite's configuration."""


@click.command("conformance")
@click.option(
    "--suite",
    default="https://localhost.emobix.co.uk:8443",
    metavar="URL",
    help="Where the suite runs; its redirect URIs are below.",
)
@click.option("--alias", default="authcenter", metavar="A", help="The alias of the run, a part of its URIs.")
@click.option("--json", is_flag=True, expose_value=False, help="Print JSON, which is the only form it has.")
@click.pass_context
def command(ctx: click.Context, suite: str, alias: str) -> None:
    """Make clients and a person for the OpenID Foundation's conformance suite, and print its configuration.

    Run again, it gives all of them new secrets. Serve with the policy config/conformance.yaml meanwhile.
    """
    password = secrets.token_urlsafe(12)
    told = run_on_record(ctx, lambda core: _prepare(core, f"{suite.rstrip('/')}/test/a/{alias}", password))
    click.echo(json.dumps(_configuration(ctx, alias, told, password), indent=2))


async def _prepare(core: Core, base: str, password: str) -> dict[str, dict[str, str]]:
    await _prepare_person(core, password)
    told = {}
    for place, (client_id, method, query) in _CLIENTS.items():
        secret = await _prepare_client(core, _metadata(client_id, method, base, query))
        told[place] = {"client_id": client_id, "client_secret": secret.reveal()}
    return told


def _metadata(client_id: str, method: AuthMethod, base: str, query: str) -> ClientMetadata:
    callback = f"{base}/callback"
    return ClientMetadata(
        client_id,
        profile=Profile.OIDC,
        auth_methods=frozenset({method}),
        grants=_GRANTS,
        scopes=_SCOPES,
        redirect_uris=tuple(dict.fromkeys((callback, callback + query))),
        relying_party=RelyingParty(
            post_logout_redirect_uris=(f"{base}/post_logout_redirect",),
            backchannel_logout_uri=f"{base}/backchannel_logout",
            backchannel_logout_session_required=True,
            frontchannel_logout_uri=f"{base}/frontchannel_logout",
            frontchannel_logout_session_required=True,
        ),
    )


async def _prepare_client(core: Core, metadata: ClientMetadata) -> Secret:
    try:
        await core.clients.update(metadata.client_id, lambda _: metadata, actor())
    except NotFound:
        _, secret = await core.clients.create(metadata, actor())
        if secret is not None:
            return secret
    return (await core.clients.rotate_secret(metadata.client_id, actor(), end_old=True))[1]


async def _prepare_person(core: Core, password: str) -> None:
    try:
        await core.accounts.set_password(USERNAME, Secret(password), actor=actor())
        await core.accounts.set_claims(USERNAME, CLAIMS, actor=actor())
    except NotFound:
        address = f"{USERNAME}@example.com"
        await core.accounts.create(USERNAME, address, Secret(password), claims=CLAIMS, actor=actor())


def _configuration(
    ctx: click.Context, alias: str, clients: Mapping[str, Mapping[str, str]], password: str
) -> dict[str, Any]:
    """As the suite reads it; ``person`` is for whoever signs in, and the suite passes over it."""
    issuer = read_settings(ctx).issuer
    return {
        "alias": alias,
        "description": "authcenter",
        "server": {"discoveryUrl": f"{issuer}/.well-known/openid-configuration"},
        **clients,
        "person": {"username": USERNAME, "password": password},
    }
