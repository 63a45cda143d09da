"""What OpenID Connect and dynamic registration add to a client (OpenID Connect Registration §2, RFC 7591 §2)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """A client as the pages, the ID token and logout know it. Empty text: not registered; then the profile decides.

    Attributes:
        jwks: Its public keys, as a JWK set; never together with ``jwks_uri``.
        subject_type: ``public`` or ``pairwise``.
        sector: The host that pairwise subjects are computed for; empty for public ones.
        default_max_age: Seconds; None: none.
        dynamic: Whether it registered itself (RFC 7591).
        openly: Whether nobody vouched for it when it did.
        registration_mac: Keyed MAC of its registration access token (RFC 7592); empty: none.
    """

    client_uri: str = ""
    logo_uri: str = ""
    policy_uri: str = ""
    tos_uri: str = ""
    contacts: tuple[str, ...] = ()
    application_type: str = "web"
    initiate_login_uri: str = ""
    software_id: str = ""
    software_version: str = ""

    jwks: Mapping[str, Any] | None = None
    jwks_uri: str = ""
    id_token_signed_response_alg: str = ""
    userinfo_signed_response_alg: str = ""
    request_object_signing_alg: str = ""
    authorization_signed_response_alg: str = ""
    subject_type: str = "public"
    sector_identifier_uri: str = ""
    sector: str = ""
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    require_pushed_authorization_requests: bool = False

    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str = ""
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str = ""
    frontchannel_logout_session_required: bool = False

    dynamic: bool = False
    openly: bool = False
    registration_mac: str = ""
    localized: Mapping[str, str] = field(default_factory=dict)
    """Human-readable members in other languages, by their name with its tag: ``client_name#de`` (RFC 7591 §2.2)."""
