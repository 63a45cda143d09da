"""The options of ``authcenter clients create`` and ``update`` that OpenID Connect adds, and what they make."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import IO, Any

import click

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.relying_party import SUBJECT_TYPES, with_sector
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg

_MOST_BYTES = 64 * 1024
_TEXTS = {
    "client_uri": "client_uri",
    "logo_uri": "logo_uri",
    "policy_uri": "policy_uri",
    "tos_uri": "tos_uri",
    "initiate_login_uri": "initiate_login_uri",
    "jwks_uri": "jwks_uri",
    "sector_identifier_uri": "sector_identifier_uri",
    "backchannel_logout_uri": "backchannel_logout_uri",
    "frontchannel_logout_uri": "frontchannel_logout_uri",
    "id_token_alg": "id_token_signed_response_alg",
    "userinfo_alg": "userinfo_signed_response_alg",
    "subject_type": "subject_type",
}
_LISTS = {"contact": "contacts", "post_logout_redirect_uri": "post_logout_redirect_uris"}


class JwksFile(click.ParamType[Mapping[str, Any]]):
    """A file with a JWK set; ``-``: standard input; empty: none any more."""

    name = "file"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Mapping[str, Any]:
        if value == "":
            return {}
        file: IO[bytes] = click.File("rb").convert(value, param, ctx)
        try:
            read = json.loads(file.read(_MOST_BYTES).decode())
        except (ValueError, RecursionError):
            self.fail("holds no JSON", param, ctx)
        if not isinstance(read, dict) or "keys" not in read:
            self.fail("holds no JWK set: an object with the member keys", param, ctx)
        return read


def changed_relying_party(old: ClientMetadata, given: Mapping[str, Any]) -> ClientMetadata:
    """``old`` with what was given; an empty value takes a member away, an empty list empties it.

    Raises:
        InvalidInput: Subjects are to be pairwise, and nothing says for which host.
    """
    changes: dict[str, Any] = {member: given[name] for name, member in _TEXTS.items() if given[name] is not None}
    for name, member in _LISTS.items():
        if given[name]:
            changes[member] = tuple(dict.fromkeys(value for value in given[name] if value))
    if given["jwks"] is not None:
        changes["jwks"] = given["jwks"] or None
    if given["require_par"] is not None:
        changes["require_pushed_authorization_requests"] = given["require_par"]
    party: RelyingParty = replace(old.relying_party, **changes)
    return replace(old, relying_party=with_sector(party, old.redirect_uris))


def _uri(name: str, text: str) -> Callable[[Any], Any]:
    return click.option(name, metavar="U", help=text)


_ALGORITHMS = click.Choice(["", *(alg.value for alg in Alg)])

RELYING_PARTY_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _uri("--client-uri", "Its home page; the pages show it."),
    _uri("--logo-uri", "Its logo, shown when people sign in or consent."),
    _uri("--policy-uri", "Its privacy policy, linked where people consent."),
    _uri("--tos-uri", "Its terms of service, linked where people consent."),
    click.option("--contact", multiple=True, metavar="C", help="Who is responsible for it."),
    _uri("--initiate-login-uri", "Where a sign-in may begin that somebody else starts."),
    click.option(
        "--post-logout-redirect-uri", multiple=True, metavar="U", help="Where people may be sent after logging out."
    ),
    _uri("--backchannel-logout-uri", "Where it takes logout tokens."),
    _uri("--frontchannel-logout-uri", "What is shown in a frame to log people out; of a redirect URI's origin."),
    click.option("--id-token-alg", type=_ALGORITHMS, metavar="ALG", help="How its ID tokens are signed."),
    click.option("--userinfo-alg", type=_ALGORITHMS, metavar="ALG", help="Sign its userinfo; empty: plain JSON."),
    click.option("--jwks", type=JwksFile(), metavar="FILE", help="Its public keys, as a JWK set; -: standard input."),
    _uri("--jwks-uri", "Where its public keys lie."),
    click.option(
        "--subject-type",
        type=click.Choice(SUBJECT_TYPES),
        help="pairwise: it knows people by names that no other client knows.",
    ),
    _uri("--sector-identifier-uri", "Names the host that pairwise names are made for; not fetched for operators."),
    click.option("--require-par/--no-require-par", "require_par", default=None, help="Take only pushed requests."),
)
