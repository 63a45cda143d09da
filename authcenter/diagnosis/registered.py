"""What registered clients may do that they should not (RFC 9700 §2.1, §2.4 and §4.1)."""

from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from authcenter.clients.origins import LOOPBACK_HOSTS
from authcenter.core.client import Client, Profile
from authcenter.diagnosis.facts import Facts, RecordFacts
from authcenter.diagnosis.finding import Finding, Severity
from authcenter.diagnosis.hashes import is_cheap

_NATIVE = "native"
_HMAC = "hmac-sha256$"


def _clients(facts: Facts) -> Iterable[Client]:
    """Those that can act."""
    if not isinstance(facts.record, RecordFacts):
        return ()
    return (client for client in facts.record.clients if client.disabled_at is None)


def password_grant(facts: Facts) -> Iterator[Finding]:
    for client in _clients(facts):
        if "password" in client.grants:
            whose = "an own app" if client.first_party else "a client of somebody else"
            yield Finding(
                "client.password_grant",
                Severity.WARNING if client.first_party else Severity.ERROR,
                f"client {client.client_id}",
                f"{whose} may use the password grant: it sees the passwords of people, who learn to give them away",
                "move it to authorization_code with PKCE: `authcenter clients update --help`",
                "RFC 9700 §2.4",
            )


def pkce_left_out(facts: Facts) -> Iterator[Finding]:
    # Public clients and those of the other profiles are refused without it.
    for client in _clients(facts):
        if client.profile is Profile.OIDC and not client.public and "authorization_code" in client.grants:
            yield Finding(
                "client.pkce_optional",
                Severity.HINT,
                f"client {client.client_id}",
                "its profile oidc lets it leave PKCE out, so that a code injected into its answers may pass",
                "once it sends code_challenge, give it the profile oauth21, which demands it",
                "RFC 9700 §2.1.1 and §4.5",
            )


def redirect_uris(facts: Facts) -> Iterator[Finding]:
    for client in _clients(facts):
        for uri in client.redirect_uris:
            yield from _redirect_uri(client, uri, production=facts.production)


def _redirect_uri(client: Client, uri: str, *, production: bool) -> Iterator[Finding]:
    about = f"client {client.client_id}"
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = urlsplit("")
    if "*" in uri:
        yield Finding(
            "client.redirect_wildcard",
            Severity.ERROR,
            about,
            f"the redirect URI {uri!a:.200} has a wildcard in it, which is compared as it stands and matches no client",
            "register each redirect URI in full",
            "RFC 9700 §2.1 and §4.1.3",
        )
    if parts.scheme == "http" and parts.hostname not in LOOPBACK_HOSTS:
        yield Finding(
            "client.redirect_http",
            Severity.ERROR,
            about,
            f"codes are sent to {uri!a:.200} in the clear",
            "register an https URI",
            "RFC 9700 §2.6",
        )
    native = client.public or client.relying_party.application_type == _NATIVE
    if production and parts.hostname in LOOPBACK_HOSTS and not native:
        yield Finding(
            "client.redirect_loopback",
            Severity.WARNING,
            about,
            f"{uri!a:.200} leads to whatever listens on the person's own machine; only native apps are found there",
            "take it out, and give developers a client of their own",
            "RFC 8252 §7.3, RFC 9700 §2.1",
        )


def weak_client_secrets(facts: Facts) -> Iterator[Finding]:
    for client in _clients(facts):
        foreign = [secret.stored for secret in client.secrets if not secret.stored.startswith(_HMAC)]
        if any(map(is_cheap, foreign)):
            yield Finding(
                "client.secret_cheap",
                Severity.WARNING,
                f"client {client.client_id}",
                "its secret was brought from elsewhere as a hash that is cheap to guess",
                f"authcenter clients rotate-secret {client.client_id}",
                "RFC 6819 §5.1.4.1.3",
            )
        elif foreign:
            yield Finding(
                "client.secret_foreign",
                Severity.HINT,
                f"client {client.client_id}",
                "its secret was made elsewhere: how hard it is to guess is not known, and each check costs a slow hash",
                f"authcenter clients rotate-secret {client.client_id}",
                "RFC 6749 §10.10",
            )
