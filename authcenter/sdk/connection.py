"""A verifier with all that it needs, open for as long as a resource server runs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from authcenter.jose.status_list import STATUS_LIST_MEDIA_TYPE
from authcenter.sdk.fetching import open_fetch
from authcenter.sdk.key_cache import KeyCache
from authcenter.sdk.observer import Observer
from authcenter.sdk.revocation import RevocationOpener, RevocationView
from authcenter.sdk.status_lists import StatusLists
from authcenter.sdk.status_verification import StatusVerification
from authcenter.sdk.verifier import LEEWAY_SECONDS, TokenVerifier

_TIMEOUT_SECONDS = 5.0


@asynccontextmanager
async def open_verifier(
    issuer: str,
    audience: str,
    *,
    revocations: RevocationOpener | None = None,
    observer: Observer | None = None,
    leeway: int = LEEWAY_SECONDS,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> AsyncIterator[TokenVerifier]:
    """Open a verifier in this event loop; its keys are fetched in the background from now on.

    Does not wait for the authorization server: until that has answered once, verifying raises ``KeysUnavailable``.

    Args:
        issuer: As the tokens' ``iss`` says it; its metadata tells where the keys are.
        audience: This resource server's own identifier.
        revocations: Opened together with the verifier, on its keys: ``partial(RevocationFeed, client_id="orders",
            client_secret=secret)``. None: a token lives until it expires.
        leeway: Seconds of clock skew accepted; at most the policy's ``tokens.leeway`` where revocations are to count to
            the end, because the server forgets them then.
        timeout_seconds: For each answer of the authorization server.

    Raises:
        ValueError: One of them would accept what it must not.
    """
    async with AsyncExitStack() as stack:
        fetch = await stack.enter_async_context(open_fetch(timeout_seconds))
        keys = await stack.enter_async_context(KeyCache(issuer, fetch, observer))
        view: RevocationView | None = None
        if revocations is not None:
            view = await stack.enter_async_context(revocations(issuer, keys, leeway=leeway))
        yield TokenVerifier(issuer, audience, keys, revocations=view, observer=observer, leeway=leeway)


@asynccontextmanager
async def open_status_verifier(
    issuer: str,
    audience: str,
    *,
    observer: Observer | None = None,
    leeway: int = LEEWAY_SECONDS,
    timeout_seconds: float = _TIMEOUT_SECONDS,
) -> AsyncIterator[StatusVerification]:
    """The same, with each token looked up in the Token Status List that it names, which takes no client.

    Raises:
        ValueError: As of ``open_verifier``.
    """
    async with AsyncExitStack() as stack:
        fetch = await stack.enter_async_context(open_fetch(timeout_seconds))
        keys = await stack.enter_async_context(KeyCache(issuer, fetch, observer))
        of_lists = await stack.enter_async_context(open_fetch(timeout_seconds, STATUS_LIST_MEDIA_TYPE))
        lists = await stack.enter_async_context(StatusLists(issuer, keys, of_lists))
        yield StatusVerification(
            TokenVerifier(issuer, audience, keys, observer=observer, leeway=leeway), lists, observer
        )
