"""A resource server's verifier over one key and a clock that stands: real checks, no sockets."""

from functools import cache
from typing import Any

from authcenter.core.clock import Clock
from authcenter.jose.access_token import VerifyingKey
from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import SigningKey
from authcenter.sdk.key_cache import KeySource
from authcenter.sdk.verification import KeysUnavailable
from authcenter.sdk.verifier import TokenVerifier
from tests.forgery import forged
from tests.workbench import API, ISSUER, START, SetClock, private_key, stored_key


class OneKey(KeySource):
    """A key set of one key; without it, as if the authorization server had never answered."""

    version = 1

    def __init__(self, key: SigningKey | None) -> None:
        self.key = key

    def find(self, kid: str) -> VerifyingKey | None:
        if self.key is None:
            raise KeysUnavailable("never fetched", retry_after=7)
        return self.key if kid == self.key.kid else None

    async def learn(self) -> bool:
        return False


@cache
def signer() -> SigningKey:
    stored = stored_key(Alg.ES256)
    private = private_key(Alg.ES256)
    public = private.public_key()
    return SigningKey(stored.kid, Alg.ES256, public, stored.public_jwk, private, START, START, None, None)


def verifier(*, audience: str = API, keys: bool = True, clock: Clock | None = None) -> TokenVerifier:
    return TokenVerifier(ISSUER, audience, OneKey(signer() if keys else None), clock=clock or SetClock())


def token(**claims: Any) -> str:
    """A good token with the scope ``read``, with some claims changed."""
    return forged(signer(), claims)


def bearer(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(**claims)}"}


METADATA = "https://api.example/.well-known/oauth-protected-resource"
NO_CREDENTIALS = f'Bearer resource_metadata="{METADATA}"'


def challenged(code: str, description: str, **more: str) -> str:
    """The ``WWW-Authenticate`` of a refusal."""
    said = {"error": code, "error_description": description, **more, "resource_metadata": METADATA}
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in said.items())


INVALID_REQUEST = challenged(
    "invalid_request", "The access token must be sent once, as a Bearer token in the Authorization header."
)
INVALID_TOKEN = challenged(
    "invalid_token", "The access token is malformed, expired, revoked or meant for somebody else."
)


def insufficient(scope: str) -> str:
    description = "The access token was not granted the scope that this request needs."
    return challenged("insufficient_scope", description, scope=scope)
