"""What holds for OpenID Connect's and registration's part of a client's metadata, whoever registers it.

OpenID Connect Registration §2, RP-Initiated, Front-Channel and Back-Channel Logout §2, RFC 7591 §2.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from authcenter.clients.keys import MOST_KEYS, read_keys
from authcenter.clients.origins import LOOPBACK_HOSTS, origin_of
from authcenter.core.client import Profile
from authcenter.core.errors import InvalidInput
from authcenter.core.relying_party import RelyingParty
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import PRIVATE_MEMBERS

SUBJECT_TYPES = ("public", "pairwise")
APPLICATION_TYPES = ("web", "native")
LONGEST_URI = 2_000
LONGEST_TEXT = 255
MOST_OF_ONE = 50
_READABLE = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")
_ALGORITHMS = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "request_object_signing_alg",
    "authorization_signed_response_alg",
)


class InvalidMember(InvalidInput):
    """A member of the metadata that does not hold.

    Attributes:
        member: Its name in RFC 7591's registry.
        problem: What it must be; names nothing that was sent.
    """

    def __init__(self, member: str, problem: str, value: object = "") -> None:
        super().__init__(f"{member}: {problem}" + (f", not {value!a:.200}" if value != "" else ""))
        self.member, self.problem = member, problem


def check_relying_party(party: RelyingParty, profile: Profile, redirect_uris: Iterable[str]) -> None:
    """Whether all of it holds, alone and together. Raises ``InvalidMember``."""
    for name in _READABLE:
        check_uri(name, getattr(party, name))
    for uri in party.post_logout_redirect_uris:
        _check_return_uri(uri)
    _check_algorithms(party, profile)
    _check_keys(party)
    _check_logout(party, redirect_uris)
    _check_subjects(party, redirect_uris)
    if party.application_type not in APPLICATION_TYPES:
        raise InvalidMember("application_type", "must be web or native", party.application_type)
    if party.default_max_age is not None and not 0 <= party.default_max_age < 2**31:
        raise InvalidMember("default_max_age", "must be a number of seconds from 0", party.default_max_age)
    for name in ("contacts", "default_acr_values"):
        for value in getattr(party, name):
            _check_text(name, value)
    for name in ("software_id", "software_version"):
        _check_text(name, getattr(party, name), least=0)


def check_uri(member: str, uri: str, *, fetched: bool = False) -> None:
    """Whether ``uri`` is empty, or https without user info and fragment; of a loopback host http will do, too.

    Args:
        fetched: This server goes there itself, so that http will do too: the guard of outbound requests holds that
            to the networks that the policy allows.

    Raises:
        InvalidMember: It is not.
    """
    if not uri:
        return
    if not _is_uri(uri) or origin_of(uri) is None or not _is_scheme_good(uri, fetched=fetched):
        raise InvalidMember(member, "must be an https URI without fragment and user info", uri)


def _is_scheme_good(uri: str, *, fetched: bool) -> bool:
    parts = urlsplit(uri)
    return parts.scheme == "https" or (parts.scheme == "http" and (fetched or parts.hostname in LOOPBACK_HOSTS))


def check_public_jwks(jwks: Mapping[str, Any]) -> None:
    """Whether it is a JWK set of public keys. Raises ``InvalidMember``."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not 0 < len(keys) <= MOST_KEYS:
        raise InvalidMember("jwks", f"must have a member keys with 1 to {MOST_KEYS} keys")
    for jwk in keys:
        if not isinstance(jwk, dict) or not isinstance(jwk.get("kty"), str):
            raise InvalidMember("jwks", "must hold keys that each have a kty (RFC 7517)")
        if PRIVATE_MEMBERS & jwk.keys():
            raise InvalidMember("jwks", "must hold public keys only")
        if not all(map(_is_plain, jwk.values())):
            raise InvalidMember("jwks", "must hold keys whose members are texts, arrays of texts or small numbers")
        used_here = jwk.get("use", "sig") == "sig" and jwk.get("alg", Alg.RS256) in list(Alg)
        if used_here and jwk["kty"] in {"RSA", "EC", "OKP"} and not read_keys({"keys": [jwk]}):
            problem = "must hold sound keys: RSA of 2048 to 8192 bits, EC on P-256, OKP on Ed25519"
            raise InvalidMember("jwks", problem)


def with_sector(party: RelyingParty, redirect_uris: Iterable[str]) -> RelyingParty:
    """With the host that pairwise subjects are computed for (OpenID Connect Core §8.1), where they are.

    Only https proves a host: whatever a scheme of an app's own or the loopback interface name is anybody's.

    Raises:
        InvalidMember: There is not one host, and no URI that says which.
    """
    if party.subject_type != "pairwise":
        return replace(party, sector="")
    if party.sector_identifier_uri:
        return replace(party, sector=_host(party.sector_identifier_uri))
    hosts = {_host(uri) if uri.lower().startswith("https:") else "" for uri in redirect_uris}
    if len(hosts) != 1 or "" in hosts:
        problem = "must be given where the redirect URIs are not https URIs of one host"
        raise InvalidMember("sector_identifier_uri", problem)
    return replace(party, sector=hosts.pop())


def _check_algorithms(party: RelyingParty, profile: Profile) -> None:
    known = [alg for alg in Alg if profile is not Profile.FAPI2 or alg is not Alg.RS256]
    for name in _ALGORITHMS:
        if (alg := getattr(party, name)) and alg not in known:
            raise InvalidMember(name, f"must be one of {', '.join(known)}", alg)


def _check_keys(party: RelyingParty) -> None:
    if party.jwks is not None and party.jwks_uri:
        raise InvalidMember("jwks_uri", "must not be given together with jwks")
    check_uri("jwks_uri", party.jwks_uri, fetched=True)
    if party.jwks is not None:
        check_public_jwks(party.jwks)


def _check_logout(party: RelyingParty, redirect_uris: Iterable[str]) -> None:
    check_uri("backchannel_logout_uri", party.backchannel_logout_uri, fetched=True)
    check_uri("frontchannel_logout_uri", party.frontchannel_logout_uri)
    uri = party.frontchannel_logout_uri
    if uri and origin_of(uri) not in set(map(origin_of, redirect_uris)):
        # Front-Channel Logout §2. It also keeps strangers' pages out of ours.
        raise InvalidMember("frontchannel_logout_uri", "must have the origin of one of the redirect_uris", uri)


def _check_subjects(party: RelyingParty, redirect_uris: Iterable[str]) -> None:
    if party.subject_type not in SUBJECT_TYPES:
        raise InvalidMember("subject_type", "must be public or pairwise", party.subject_type)
    check_uri("sector_identifier_uri", party.sector_identifier_uri, fetched=True)
    if with_sector(party, redirect_uris).sector != party.sector:
        raise InvalidMember("sector_identifier_uri", "must be the one that the sector was computed from")


def _check_return_uri(uri: str) -> None:
    """Like a redirect URI: people are sent there."""
    parts = urlsplit(uri) if _is_uri(uri) else None
    sound = parts is not None and (
        parts.scheme == "https"
        or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
        or (parts.scheme not in {"http", "https"} and "." in parts.scheme)
    )
    if not sound or (parts and parts.scheme in {"http", "https"} and origin_of(uri) is None):
        raise InvalidMember("post_logout_redirect_uris", "must be https, loopback or of an app's own scheme", uri)


def _host(uri: str) -> str:
    """Empty: there is none."""
    return urlsplit(uri).hostname or "" if _is_uri(uri) else ""


def _is_uri(uri: str) -> bool:
    if len(uri) > LONGEST_URI or not uri.isascii() or not uri.isprintable() or set(uri) & set(' "<>\\^`{|}#'):
        return False
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return bool(parts.scheme) and "@" not in parts.netloc


def _is_plain(value: object) -> bool:
    """What is kept and told again must fit into every database and every reader's numbers."""
    if isinstance(value, list):
        return all(isinstance(one, str) for one in value)
    return isinstance(value, str) or (isinstance(value, int) and abs(value) < 2**53)


def _check_text(member: str, value: str, least: int = 1) -> None:
    if not least <= len(value) <= LONGEST_TEXT or not value.isprintable():
        raise InvalidMember(member, f"must be {least} to {LONGEST_TEXT} printable characters", value)
