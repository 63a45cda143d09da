"""Client metadata as JSON, read and written (RFC 7591 §2, OpenID Connect Registration §2, logout)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authcenter.clients.entitlements import ClientMetadata
from authcenter.clients.origins import LOOPBACK_HOSTS
from authcenter.clients.relying_party import LONGEST_URI, MOST_OF_ONE, InvalidMember, check_uri, with_sector
from authcenter.core.client import AuthMethod, Client, Profile
from authcenter.core.relying_party import RelyingParty
from authcenter.core.scope import RESERVED_PREFIX
from authcenter.settings.policy_sections import RegistrationPolicy

_CODE, _CODE_GRANT, _BASIC = "code", "authorization_code", "client_secret_basic"
_LOCALIZED = ("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri")
_TAG = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}")  # BCP 47, as far as it need be told from nonsense
_MOST_LOCALIZED = 100

_TEXTS = (
    *("client_uri", "logo_uri", "policy_uri", "tos_uri", "application_type", "initiate_login_uri"),
    *("software_id", "software_version", "jwks_uri", "subject_type", "sector_identifier_uri"),
    *("id_token_signed_response_alg", "userinfo_signed_response_alg", "request_object_signing_alg"),
    *("authorization_signed_response_alg", "backchannel_logout_uri", "frontchannel_logout_uri"),
)
_LISTS = ("contacts", "default_acr_values", "post_logout_redirect_uris")
_FLAGS = (
    *("require_auth_time", "require_pushed_authorization_requests"),
    *("backchannel_logout_session_required", "frontchannel_logout_session_required"),
)
_NOT_SERVED = (
    *("id_token_encrypted_response_alg", "id_token_encrypted_response_enc"),
    *("userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"),
    *("request_object_encryption_alg", "request_object_encryption_enc"),
    *("authorization_encrypted_response_alg", "authorization_encrypted_response_enc"),
    *("introspection_encrypted_response_alg", "introspection_encrypted_response_enc"),
    *("require_signed_request_object", "tls_client_certificate_bound_access_tokens", "dpop_bound_access_tokens"),
)
"""What a client would count on for its safety. Other unknown members are ignored (RFC 7591 §2); these are refused."""


@dataclass(frozen=True, slots=True)
class _Members:
    """A document's members, each by its type. A null is an absent member."""

    document: Mapping[str, Any]

    def text(self, name: str, default: str = "") -> str:
        value = self.document.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > LONGEST_URI or not value.isprintable():
            raise InvalidMember(name, f"must be a text of at most {LONGEST_URI} printable characters")
        return value

    def texts(self, name: str) -> tuple[str, ...] | None:
        value = self.document.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) > MOST_OF_ONE or not all(isinstance(one, str) for one in value):
            raise InvalidMember(name, f"must be an array of at most {MOST_OF_ONE} texts")
        return tuple(dict.fromkeys(value))

    def flag(self, name: str) -> bool:
        value = self.document.get(name)
        if value is not None and not isinstance(value, bool):
            raise InvalidMember(name, "must be true or false")
        return bool(value)

    def seconds(self, name: str) -> int | None:
        value = self.document.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise InvalidMember(name, "must be a whole number of seconds")
        return value

    def mapping(self, name: str) -> Mapping[str, Any] | None:
        value = self.document.get(name)
        if value is not None and not isinstance(value, dict):
            raise InvalidMember(name, "must be an object")
        return value


def read_document(
    document: Mapping[str, Any], client_id: str, policy: RegistrationPolicy, served: frozenset[str]
) -> ClientMetadata:
    """What a client says of itself, as far as the policy lets it. Members without meaning here are ignored.

    Args:
        served: The grant types that the server has.

    Raises:
        InvalidMember: Naming the member.
    """
    members, profile = _Members(document), Profile(policy.profile)
    for name in _NOT_SERVED:
        if document.get(name) not in (None, False):
            raise InvalidMember(name, "is not served here")
    grants = _grants(members, policy, served)
    redirect_uris = _redirect_uris(members, grants)
    typed: dict[str, Any] = {name: members.text(name) for name in _TEXTS if document.get(name) is not None}
    typed |= {name: members.texts(name) or () for name in _LISTS} | {name: members.flag(name) for name in _FLAGS}
    party = RelyingParty(
        **typed,
        jwks=_jwks(members),
        default_max_age=members.seconds("default_max_age"),
        dynamic=True,
        localized=_localized(members),
    )
    return ClientMetadata(
        client_id=client_id,
        name=members.text("client_name"),
        profile=profile,
        auth_methods=_auth_methods(members, profile),
        grants=grants,
        scopes=_scopes(members, policy),
        redirect_uris=redirect_uris,
        relying_party=with_sector(party, redirect_uris),
    )


def write_document(client: Client) -> dict[str, Any]:
    """All that is registered of a client (RFC 7591 §3.2.1), defaults filled in."""
    party = client.relying_party
    told: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.created_at.timestamp()),
        "client_name": client.name if client.name != client.client_id else "",
        "redirect_uris": list(client.redirect_uris),
        "grant_types": sorted(client.grants),
        "response_types": [_CODE] if _CODE_GRANT in client.grants else [],
        "token_endpoint_auth_method": next(iter(sorted(client.auth_methods)), ""),
        "scope": str(client.scopes),
        **{name: getattr(party, name) for name in _TEXTS},
        **{name: list(getattr(party, name)) for name in _LISTS},
        **{name: getattr(party, name) for name in _FLAGS},
        "jwks": party.jwks,
        "default_max_age": party.default_max_age,
        **party.localized,
    }
    always = {"grant_types", "response_types", "redirect_uris", *_FLAGS}
    return {name: value for name, value in told.items() if name in always or value not in (None, "", [])}


def _grants(members: _Members, policy: RegistrationPolicy, served: frozenset[str]) -> frozenset[str]:
    asked = members.texts("grant_types")
    grants = frozenset((_CODE_GRANT,) if asked is None else asked)
    allowed = served & frozenset(policy.grants)
    if not grants or not grants <= allowed:
        raise InvalidMember("grant_types", f"must be among {', '.join(sorted(allowed))}", sorted(grants))
    responses = members.texts("response_types")
    expected = (_CODE,) if _CODE_GRANT in grants else ()
    # Of what OpenID Connect has only the code flow is served, which goes with the grant (RFC 7591 §2.1).
    if responses is not None and responses != expected:
        raise InvalidMember("response_types", "must be code with the grant authorization_code, else none", responses)
    return grants


def _redirect_uris(members: _Members, grants: frozenset[str]) -> tuple[str, ...]:
    uris = members.texts("redirect_uris") or ()
    if not uris and _CODE_GRANT in grants:
        raise InvalidMember("redirect_uris", "must be given")
    native = members.text("application_type", "web") == "native"
    for uri in uris:
        scheme, _, rest = uri.partition(":")
        if not uri or not uri.isascii():
            raise InvalidMember("redirect_uris", "must be URIs", uri)
        if native and scheme not in {"http", "https"}:
            # RFC 8252 §7.1: a scheme that its owner can have, which a domain name turned round is.
            if "." not in scheme or not rest.startswith("/"):
                raise InvalidMember("redirect_uris", "must have a scheme of the app's own, like com.example.app:/", uri)
        elif not native:
            # OpenID Connect Registration §2: a web client is not on the person's own machine.
            check_uri("redirect_uris", uri)
            if urlsplit(uri).hostname in LOOPBACK_HOSTS:
                raise InvalidMember("redirect_uris", "must not be on the loopback interface for a web client", uri)
    return uris


def _auth_methods(members: _Members, profile: Profile) -> frozenset[AuthMethod]:
    known = [] if profile is Profile.FAPI2 else [method.value for method in AuthMethod]
    asked = members.text("token_endpoint_auth_method", _BASIC)
    if asked not in known:
        raise InvalidMember(
            "token_endpoint_auth_method", f"must be one of {', '.join(known) or 'none that exists'}", asked
        )
    return frozenset({AuthMethod(asked)})


def _scopes(members: _Members, policy: RegistrationPolicy) -> frozenset[str]:
    allowed = frozenset(scope for scope in policy.scopes if not scope.startswith(RESERVED_PREFIX))
    text = members.document.get("scope")
    if text is None:
        return allowed
    asked = frozenset(members.text("scope").split(" ")) - {""}
    if not asked <= allowed:
        raise InvalidMember("scope", f"must be among {' '.join(sorted(allowed))}", sorted(asked - allowed))
    return asked


def _jwks(members: _Members) -> dict[str, Any] | None:
    """Of the set only its keys: what else it holds means nothing here (RFC 7517 §5)."""
    jwks = members.mapping("jwks")
    return None if jwks is None else {"keys": jwks.get("keys")}


def _localized(members: _Members) -> dict[str, str]:
    """RFC 7591 §2.2: ``client_name#de``."""
    found: dict[str, str] = {}
    for name in members.document:
        base, mark, tag = name.partition("#")
        if not mark or base not in _LOCALIZED or members.document[name] is None:
            continue
        if not _TAG.fullmatch(tag) or len(found) >= _MOST_LOCALIZED:
            raise InvalidMember(base, f"must be in at most {_MOST_LOCALIZED} languages, each by its BCP 47 tag")
        found[name] = _localized_value(base, members.text(name))
    return found


def _localized_value(base: str, value: str) -> str:
    if base == "client_name":
        if not 0 < len(value) <= 255:
            raise InvalidMember(base, "must be 1 to 255 characters in every language")
    else:
        check_uri(base, value)
    return value
