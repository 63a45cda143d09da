"""The hot policy: everything that changes without a restart, as one frozen value (CONTRACT "Hot policy")."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from authcenter.settings.document import DocumentError, parse_document
from authcenter.settings.errors import PolicyError
from authcenter.settings.policy_fields import GatewayName, ProviderName, Section
from authcenter.settings.policy_sections import (
    AccountPolicy,
    AuditPolicy,
    BrandPolicy,
    CachePolicy,
    FetchPolicy,
    Gateway,
    IdentityProviderPolicy,
    JwksPolicy,
    KeysPolicy,
    LoggingPolicy,
    RateLimitPolicy,
    RegistrationPolicy,
    RevocationPolicy,
    SessionPolicy,
    TokenPolicy,
)
from authcenter.settings.wording import sentence, suggestion

# An empty file is an operator's "nothing differs"; an empty answer of a remote store is far likelier a lost one.
_MAY_BE_EMPTY = frozenset({"file"})

_CROSS_FIELD = "policy_cross_field"


class Policy(Section):
    """One whole policy document. Every field has a default; ``Policy()`` is the policy of an empty document."""

    tokens: TokenPolicy = Field(default_factory=TokenPolicy, description="tokens")
    revocation: RevocationPolicy = Field(default_factory=RevocationPolicy, description="revocation")
    cache: CachePolicy = Field(default_factory=CachePolicy, description="caches")
    jwks: JwksPolicy = Field(default_factory=JwksPolicy, description="the published key set")
    keys: KeysPolicy = Field(default_factory=KeysPolicy, description="signing keys")
    rate_limits: RateLimitPolicy = Field(
        default_factory=RateLimitPolicy, description="<count>/<second|minute|hour|day>"
    )
    sessions: SessionPolicy = Field(default_factory=SessionPolicy, description="signed-in browsers")
    accounts: AccountPolicy = Field(default_factory=AccountPolicy, description="accounts of people")
    registration: RegistrationPolicy = Field(default_factory=RegistrationPolicy, description="RFC 7591")
    audit: AuditPolicy = Field(default_factory=AuditPolicy, description="the audit log")
    fetch: FetchPolicy = Field(default_factory=FetchPolicy, description="outbound requests")
    gateways: Mapping[GatewayName, Gateway] = Field(
        default_factory=dict, description="name: {audience: ..., scopes: [...]} for /oauth/validate/{name}"
    )
    identity_providers: Mapping[ProviderName, IdentityProviderPolicy] = Field(
        default_factory=dict,
        description="name: {kind: openid, issuer: https://..., client_id: ...}, or kind: google or github, in the order"
        " of their buttons; redirect URI there: <issuer>/federation/{name}/callback",
    )
    brand: BrandPolicy = Field(default_factory=BrandPolicy, description="what pages look like")
    logging: LoggingPolicy = Field(default_factory=LoggingPolicy, description="the log")

    @model_validator(mode="after")
    def _fields_agree(self) -> Self:
        if problems := tuple(_disagreements(self)):
            raise PydanticCustomError(_CROSS_FIELD, "fields disagree", {"problems": problems})
        return self

    @cached_property
    def version(self) -> str:
        """The first 12 hex digits of the SHA-256 of the whole document, defaults filled in; equal policies share it."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A variant, checked like any other policy and with a version of its own; ``deep`` has no meaning here."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**fields, **(update or {})})


def parse_policy(text: str, *, source: str) -> Policy:
    """Read a policy document, YAML or JSON.

    Args:
        text: The document; at most 1 MiB. Empty, or only comments, is the default policy where a file says so.
        source: Where it came from, ``file`` or another short word that is also a metric label.

    Raises:
        PolicyError: With a line for each wrong field. Nothing else is raised, whatever the text.
    """
    try:
        values = parse_document(text)
    except DocumentError as error:
        raise PolicyError(f"the document {_lead_in(error)}") from None
    if values is None and source in _MAY_BE_EMPTY:
        return Policy()
    if not isinstance(values, dict):
        raise PolicyError("the document must be a mapping of sections" + (" (is empty)" if values is None else ""))
    try:
        return Policy.model_validate(values)
    except ValidationError as error:
        problems = (problem for found in error.errors(include_url=False) for problem in _problems(found))
        raise PolicyError(*problems) from None


def _disagreements(policy: Policy) -> Iterator[str]:
    tokens, keys, sessions, cache = policy.tokens, policy.keys, policy.sessions, policy.cache
    if tokens.refresh_max_lifetime < tokens.refresh_ttl:
        yield _at_least(
            "tokens.refresh_max_lifetime", "tokens.refresh_ttl", tokens.refresh_ttl, tokens.refresh_max_lifetime
        )
    if keys.publish_before_use < policy.jwks.max_age:
        yield _at_least("keys.publish_before_use", "jwks.max_age", policy.jwks.max_age, keys.publish_before_use)
    if 0 < keys.rotate_every <= keys.publish_before_use:
        yield (
            f"keys.rotate_every: must be 0 or more than keys.publish_before_use, {keys.publish_before_use}"
            f" (got {keys.rotate_every})"
        )
    if sessions.max_ttl < sessions.idle_ttl:
        yield _at_least("sessions.max_ttl", "sessions.idle_ttl", sessions.idle_ttl, sessions.max_ttl)
    if cache.negative_ttl > cache.ttl:
        yield f"cache.negative_ttl: must be at most cache.ttl, {cache.ttl} (got {cache.negative_ttl})"


def _at_least(path: str, other: str, least: int, value: int) -> str:
    return f"{path}: must be at least {other}, {least} (got {value})"


def _problems(error: ErrorDetails) -> Iterator[str]:
    if error["type"] == _CROSS_FIELD:
        yield from error["ctx"]["problems"]
        return
    *parents, last = (str(part) for part in error["loc"])
    # A key is the writer's text: made ASCII and cut, so that it cannot forge a line.
    path = ".".join(ascii(part)[1:-1][:64] or "''" for part in (*parents, last) if part != "[key]")
    if error["type"] == "extra_forbidden":
        yield f"{path}: unknown field{suggestion(last, _fields_at(parents))}"
    elif error["type"] == "missing":
        yield f"{path}: must be given"
    else:
        yield f"{path}: {sentence(error)}"


def _fields_at(parents: list[str]) -> tuple[str, ...]:
    if not parents:
        return tuple(Policy.model_fields)
    if parents[0] == "gateways":
        return tuple(Gateway.model_fields)
    if parents[0] == "identity_providers":
        return tuple(IdentityProviderPolicy.model_fields)
    return tuple(type(getattr(Policy(), parents[0])).model_fields)


def _lead_in(error: DocumentError) -> str:
    said = str(error)
    return said if said.startswith(("must", "is ")) else f"is refused: {said}"
