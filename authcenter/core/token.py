"""Tokens: what is issued, what is held, what was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.value import Value


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token that was read and whose signature verifies (RFC 9068).

    Attributes:
        claims: All of its claims.
        expires_at, issued_at: Unix seconds.
        digest: What it is revoked by.
    """

    claims: Mapping[str, Any]
    client_id: str
    subject: str
    audience: tuple[str, ...]
    family: str
    session: str
    jti: str
    kid: str
    issued_at: int
    expires_at: int
    digest: Digest

    @property
    def scopes(self) -> frozenset[str]:
        """The scope values it was issued with."""
        scope = self.claims.get("scope")
        return frozenset(scope.split()) if isinstance(scope, str) else frozenset()


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """All that one approval led to. A row of its own, locked first by whoever rotates or ends it.

    Attributes:
        approved_at: The clock reading of the request that was approved, or at which a person approved it.
        scope, audience: What was granted; a refresh may ask for less.
        sign_in: The claims of the user's sign-in (``auth_time``, ``acr``, ``amr``, ``sid``) that its tokens carry.
        known_as: The ``sub`` of its tokens, where that is a pairwise one (OpenID Connect Core §8.1).
        claims: The ``claims`` parameter of the authorization request (§5.5).
    """

    family_id: FamilyId
    client_id: ClientId
    subject: Subject
    scope: Scope
    audience: tuple[str, ...]
    sign_in: Mapping[str, Any]
    approved_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    end_reason: str = ""
    known_as: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """A refresh token as it is stored: known by its selector, proven by its verifier's HMAC.

    Attributes:
        spent_at: When it was traded for its successor.
        sealed_answer: The answer it was traded for, sealed under a key that only the token itself yields.
    """

    selector: str
    family_id: FamilyId
    verifier_mac: str
    issued_at: datetime
    expires_at: datetime
    spent_at: datetime | None = None
    sealed_answer: bytes | None = None


@dataclass(frozen=True, slots=True)
class HeldRefreshToken:
    """A refresh token somebody presented and proved, with its family."""

    token: RefreshToken
    family: TokenFamily


class TokenSet(Value, frozen=True):
    """The answer of the token endpoint (RFC 6749 §5.1), as the JSON object it is."""

    body: bytes
