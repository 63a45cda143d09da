"""A verifier with all that it needs, open for as long as a resource server runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from authcenter.sdk.fetching import open_fetch
from authcenter.sdk.key_cache import KeyCache
from authcenter.sdk.observer import Observer
from authcenter.sdk.revocation import RevocationView
from authcenter.sdk.verifier import LEEWAY_SECONDS, TokenVerifier


@asynccontextmanager
async def open_verifier(
    issuer: str,
    audience: str,
    *,
    revocations: RevocationView | None = None,
    observer: Observer | None = None,
    leeway: int = LEEWAY_SECONDS,
    timeout_seconds: float = 5.0,
) -> AsyncIterator[TokenVerifier]:
    """Open a verifier in this event loop; its keys are fetched in the background from now on.

    Does not wait for the authorization server: until that has answered once, verifying raises ``KeysUnavailable``.

    Args:
        issuer: As the tokens' ``iss`` says it; its metadata tells where the keys are.
        audience: This resource server's own identifier.
        leeway: Seconds of clock skew accepted.
        timeout_seconds: For each answer of the authorization server.

    Raises:
        ValueError: One of them would accept what it must not.
    """
    async with open_fetch(timeout_seconds) as fetch, KeyCache(issuer, fetch, observer) as keys:
        yield TokenVerifier(issuer, audience, keys, revocations=revocations, observer=observer, leeway=leeway)
