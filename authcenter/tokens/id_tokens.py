"""ID tokens (OpenID Connect Core §2): who signed in, when and how, for the client alone."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core import base64url
from authcenter.core.approval import Approval, IdTokenRequest
from authcenter.core.client import Client, Profile
from authcenter.core.user import User
from authcenter.jose.algorithms import Alg
from authcenter.keys.source import LiveKeyRing

_SIGN_IN = ("auth_time", "acr", "amr", "sid")


def id_token_algorithm(client: Client) -> str:
    """What the client's ID tokens are signed with: what it registered, else what its profile says (Registration §2)."""
    registered = client.relying_party.id_token_signed_response_alg
    return registered or (Alg.RS256 if client.profile is Profile.OIDC else Alg.ES256)


@dataclass(frozen=True, slots=True)
class IdTokens:
    """Makes them.

    Attributes:
        lifetime: Seconds.
        claims_of: The claims of those names that a user has.
    """

    issuer: str
    keys: LiveKeyRing
    lifetime: Callable[[], int]
    claims_of: Callable[[User, Iterable[str]], Mapping[str, Any]]

    def make(self, approval: Approval, asked: IdTokenRequest, access_token: str) -> str:
        """The ID token that goes with ``access_token``.

        Raises:
            StoreUnavailable: There is no key to sign with.
        """
        key = self.keys.ring.signer(id_token_algorithm(approval.client))
        issued_at = int(approval.at.timestamp())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": approval.sub,
            "aud": approval.client.client_id,
            "exp": issued_at + self.lifetime(),
            "iat": issued_at,
            **{name: approval.sign_in[name] for name in _SIGN_IN if name in approval.sign_in},
            "at_hash": half_hash(key.alg, access_token),
        }
        if asked.nonce is not None:
            claims["nonce"] = asked.nonce
        if asked.claims and approval.user is not None:
            claims = {**self.claims_of(approval.user, asked.claims), **claims}
        return key.jwt(claims)


def half_hash(alg: str, token: str) -> str:
    """``at_hash`` (OpenID Connect Core §3.1.3.6): the left half of the hash that the signature itself uses."""
    digest = (hashlib.sha512 if alg == Alg.EDDSA else hashlib.sha256)(token.encode()).digest()
    return base64url.encode(digest[: len(digest) // 2])
