"""The sections of the hot policy: names, defaults, ranges, meaning (CONTRACT "Hot policy")."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from authcenter.settings.policy_fields import (
    AudienceName,
    ClientName,
    Color,
    Logo,
    Names,
    Networks,
    OptionalTitle,
    ProviderIssuer,
    RateField,
    Scopes,
    Section,
    Title,
    count,
    rate,
    seconds,
)

_DAY, _YEAR = 86_400, 31_536_000


class TokenPolicy(Section):
    """Lifetimes and signatures of tokens."""

    access_ttl: int = seconds(900, 5, _DAY, "lifetime of an access token")
    refresh_ttl: int = seconds(2_592_000, 5, _YEAR, "lifetime of each refresh token")
    refresh_max_lifetime: int = seconds(
        7_776_000, 5, 10 * _YEAR, "lifetime of a family of refresh tokens; at least refresh_ttl"
    )
    id_token_ttl: int = seconds(300, 5, _DAY, "lifetime of an ID token")
    authorization_code_ttl: int = seconds(
        60, 1, 600, "lifetime of an authorization code; at most 60 for fapi2 clients whatever stands here"
    )
    refresh_reuse_grace: int = seconds(
        0, 0, 300, "how long a spent refresh token is answered as a retry, not as theft; 0: never"
    )
    signing_alg: Literal["ES256", "RS256", "EdDSA", "PS256"] = Field(
        default="ES256", description="signature algorithm of access tokens"
    )
    leeway: int = seconds(30, 0, 300, "clock skew accepted in exp, nbf and iat")
    status_list: bool = Field(
        default=False,
        description="whether access tokens name their place in a Token Status List; each costs a row in the database",
    )


class RevocationPolicy(Section):
    """How revoked tokens are recognised, and what happens when that cannot be checked."""

    mode: Literal["replica", "strict"] = Field(
        default="replica",
        description="replica: no network on the hot path; strict: Redis is asked at every validation too",
    )
    on_outage: Literal["open", "closed"] = Field(
        default="open", description="open: go on with what is known; closed: refuse what cannot be checked"
    )
    max_staleness: int = seconds(10, 1, 3600, "closed: how old the replica may be")
    short_hash_bytes: int = count(8, 4, 16, "length of the short hash in memory and in Redis keys", "bytes")


class CachePolicy(Section):
    """Caches of clients, resources and other records."""

    ttl: int = seconds(60, 1, 3600, "how long a record is served from memory")
    negative_ttl: int = seconds(5, 0, 300, "how long 'there is no such record' is remembered; 0: not at all")
    jitter: float = Field(
        default=0.1,
        ge=0,
        le=0.5,
        description="each TTL is drawn from ttl * [1 - jitter, 1 + jitter]",
        json_schema_extra={"unit": "fraction"},
    )
    lock_ttl: int = seconds(5, 1, 60, "how long one process may hold the right to fill an entry")
    stale_if_error: int = seconds(
        600, 0, _DAY, "how long after it was read a record is still served while the store is down"
    )


class JwksPolicy(Section):
    """The published key set."""

    max_age: int = seconds(600, 0, _DAY, "Cache-Control max-age of the key set and of discovery documents")


class KeysPolicy(Section):
    """Rotation of signing keys."""

    rotate_every: int = seconds(7_776_000, 0, 10 * _YEAR, "age at which a signing key is replaced; 0: only by hand")
    publish_before_use: int = seconds(
        1200, 0, 30 * _DAY, "how long a new key is published before it signs; at least jwks.max_age"
    )


class RateLimitPolicy(Section):
    """How often is too often."""

    token_per_client: RateField = rate("6000/minute", "token requests of a client, counted after its authentication")
    client_auth_failures_per_ip: RateField = rate("60/minute", "failed client authentications from an address")
    login_failures_per_ip: RateField = rate("10/hour", "failed logins from an address; a success gives its slot back")
    login_failures_per_account: RateField = rate("10/hour", "failed logins to an account")
    signup_per_ip: RateField = rate("10/hour", "new accounts from an address")
    mail_per_address: RateField = rate("5/hour", "mails of a kind to an address; new addresses that an account asks")


class SessionPolicy(Section):
    """Signed-in browsers."""

    max_per_user: int = count(5, 1, 1000, "sessions a user may have at once", "sessions")
    when_full: Literal["evict_oldest", "reject"] = Field(
        default="evict_oldest", description="reject: a page lets the person end one of them"
    )
    idle_ttl: int = seconds(28_800, 60, _YEAR, "end of a session that nobody uses")
    max_ttl: int = seconds(2_592_000, 60, _YEAR, "end of every session; at least idle_ttl")


class AccountPolicy(Section):
    """Accounts of people."""

    signup: bool = Field(default=False, description="whether people may open accounts themselves")
    reset_ttl: int = seconds(3600, 60, _DAY, "lifetime of a password reset link")
    verify_ttl: int = seconds(86_400, 60, 30 * _DAY, "lifetime of a mail verification link")


# YAML 1.1 reads an unquoted `off` as the boolean; the operator's meaning is clear.
_RegistrationMode = Annotated[
    Literal["off", "token", "open"], BeforeValidator(lambda value: "off" if value is False else value)
]


class RegistrationPolicy(Section):
    """Dynamic client registration (RFC 7591): what a client registered that way may be."""

    mode: _RegistrationMode = Field(default="off", description="token: with an initial access token; open: anybody")
    profile: Literal["oauth21", "oidc", "fapi2"] = Field(default="oidc", description="profile of clients registered so")
    grants: Names = Field(default=("authorization_code", "refresh_token"), description="grants they may ask for")
    scopes: Scopes = Field(
        default=("openid", "profile", "email", "address", "phone", "offline_access"),
        description="scopes they may ask for",
    )
    unused_ttl: int = seconds(
        2_592_000,
        0,
        10 * _YEAR,
        "after how long a client goes that registered without a token and nobody has used; 0: never",
    )


class AuditPolicy(Section):
    """The audit log."""

    checkpoint_every: int = seconds(10, 1, 3600, "time between signed checkpoints while there are events")
    explain_ttl: int = seconds(604_800, 60, _YEAR, "how long `authcenter explain` knows a request")


class FetchPolicy(Section):
    """Requests that this server makes to others."""

    allow_private: Networks = Field(
        default=(), description="networks that outbound fetches may reach although they are private"
    )


class Gateway(Section):
    """What ``/oauth/validate/{name}`` demands of a token."""

    audience: AudienceName = Field(description="audience the token must have")
    scopes: Scopes = Field(default=(), description="scopes the token must have, all of them")


class IdentityProviderPolicy(Section):
    """Where people may sign in elsewhere. What signs us in there is the boot setting identity_provider_secrets."""

    kind: Literal["openid", "google", "github"] = Field(
        description="openid: any OpenID issuer, by discovery; google and github know where theirs is"
    )
    client_id: ClientName = Field(description="what we are called there")
    issuer: ProviderIssuer = Field(default="", description="openid: the issuer; github: that of an own GitHub server")
    name: OptionalTitle = Field(default="", description="what people call it; empty: as its kind or host is called")
    scopes: Scopes = Field(default=(), description="scopes asked for; empty: those for name and address")
    new_accounts: Literal["as_signup", "always", "never"] = Field(
        default="as_signup", description="whether a stranger gets an account: as accounts.signup says, or not"
    )
    trust_addresses: bool = Field(
        default=True, description="whether an address counts as verified where the provider says that it is"
    )

    @model_validator(mode="after")
    def _openid_has_an_issuer(self) -> Self:
        if self.kind == "openid" and not self.issuer:
            raise ValueError("must name an issuer, as its kind is openid")
        return self


class BrandPolicy(Section):
    """What the pages for people look like."""

    name: Title = Field(default="authcenter", description="name on pages and in mails")
    logo: Logo = Field(default="", description="https URL or path of an image")
    color: Color = Field(default="", description="accent color, #rrggbb")


class LoggingPolicy(Section):
    """What the log tells."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = Field(
        default="INFO", description="least severity that is logged"
    )
