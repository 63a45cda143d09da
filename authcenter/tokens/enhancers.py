"""From an approval to a signed token: a chain of enhancers, the last of which signs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

import msgspec

from authcenter.core.approval import Approval
from authcenter.core.base64url import encode
from authcenter.core.digest import sha256
from authcenter.core.ids import new_jti
from authcenter.core.value import Value
from authcenter.jose.access_token import ACCESS_TOKEN_TYPE
from authcenter.jose.jws import write_object
from authcenter.keys.ring import SigningKey
from authcenter.keys.source import LiveKeyRing


class DraftToken(Value, frozen=True):
    """An access token on its way through the chain.

    Attributes:
        claims: What it will say.
        value: The token itself, once it has been signed.
        kid: By which key.
        digest: By which it is revoked (``signing_input_digest``).
    """

    claims: Mapping[str, Any] = msgspec.field(default_factory=dict)
    value: str = ""
    kid: str = ""
    digest: bytes = b""

    def with_claims(self, claims: Mapping[str, Any]) -> "DraftToken":
        return DraftToken({**self.claims, **claims} if self.claims else claims)


class TokenEnhancer(Protocol):
    """Adds to a token what an approval says."""

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken: ...


@dataclass(frozen=True, slots=True)
class GrantEnhancer(TokenEnhancer):
    """What every access token says (RFC 9068 §2.2): who, for whom, to whom, for what, how long."""

    issuer: str
    lifetime: Callable[[Approval], timedelta]

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken:
        issued_at = int(approval.at.timestamp())
        audience = approval.audience
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": approval.sub,
            "aud": audience[0] if len(audience) == 1 else audience,
            "exp": issued_at + int(self.lifetime(approval).total_seconds()),
            "iat": issued_at,
            "nbf": issued_at,
            "jti": new_jti(),
            "client_id": approval.client.client_id,
        }
        # RFC 6749 §3.3 knows no empty scope: what was granted none says nothing of it.
        if scope := str(approval.scope):
            claims["scope"] = scope
        claims["fam"] = approval.family
        return token.with_claims(claims)


@dataclass(frozen=True, slots=True)
class UserEnhancer(TokenEnhancer):
    """What a person's access token says beyond that (RFC 9068 §2.2.1, §2.2.3.1): the sign-in, and the roles."""

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken:
        if approval.user is None:
            return token
        return token.with_claims({**approval.sign_in, "roles": sorted(approval.user.roles)})


class JwtTokenEnhancer(TokenEnhancer):
    """Signs. The last link of the chain."""

    def __init__(self, keys: LiveKeyRing, algorithm: Callable[[], str]) -> None:
        self._keys, self._algorithm = keys, algorithm
        self._headers: dict[str, str] = {}

    async def enhance(self, token: DraftToken, approval: Approval) -> DraftToken:
        """Raises ``StoreUnavailable`` where there is no key to sign with."""
        key = self._keys.ring.signer(self._algorithm())
        signing_input = f"{self._header(key)}.{write_object(token.claims)}"
        data = signing_input.encode("ascii")
        digest = sha256(data)
        return DraftToken(token.claims, f"{signing_input}.{encode(key.sign(data, digest))}", key.kid, digest)

    def _header(self, key: SigningKey) -> str:
        header = self._headers.get(key.kid)
        if header is None:
            header = self._headers[key.kid] = key.header_segment(ACCESS_TOKEN_TYPE)
        return header
