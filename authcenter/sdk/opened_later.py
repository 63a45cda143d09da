"""A verifier that is opened when the application starts, for frameworks that want their middleware before that.

verifier = OpenedLater("https://id.example.com", "https://orders.example", open_verifier)
app = FastAPI(lifespan=lambda _: verifier.opened())
app.add_middleware(AsgiGuard, verification=verifier)

With revocations, the opener is ``partial(open_verifier, revocations=follow)``, where ``follow`` is
``partial(RevocationFeed, client_id=…, client_secret=…)``.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from authcenter.core.token import AccessToken
from authcenter.sdk.verification import KeysUnavailable, TokenVerification


class OpenedLater(TokenVerification):
    """Stands for the verification that ``opened`` opens; before and after that it cannot tell."""

    def __init__(
        self, issuer: str, audience: str, opener: Callable[[str, str], AbstractAsyncContextManager[TokenVerification]]
    ) -> None:
        """``opener``: called with issuer and audience, such as ``open_verifier``."""
        self._issuer, self._audience, self._opener = issuer, audience, opener
        self._open: TokenVerification | None = None

    @property
    def issuer(self) -> str:
        return self._issuer

    @property
    def audience(self) -> str:
        return self._audience

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Open it as long as the block runs; once at a time."""
        async with self._opener(self._issuer, self._audience) as verification:
            self._open = verification
            try:
                yield
            finally:
                self._open = None

    async def verify(self, token: str, *scopes: str) -> AccessToken:
        """As of what was opened.

        Raises:
            KeysUnavailable: Nothing is open: the application's start has not been run, or it is over.
        """
        if self._open is None:
            raise KeysUnavailable("the verifier is not open")
        return await self._open.verify(token, *scopes)
