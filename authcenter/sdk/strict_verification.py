"""For resource servers that want the authorization server's word at each request."""

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.sdk.introspection import IntrospectionClient
from authcenter.sdk.observer import Observer, Unobserved
from authcenter.sdk.verification import TokenVerification


class StrictVerification(TokenVerification):
    """Checks a token here, and then asks the server too, so that a revocation holds with the next request.

    The client needs no ``audience``: the verification has looked at that by then.
    """

    def __init__(
        self, verification: TokenVerification, introspection: IntrospectionClient, observer: Observer | None = None
    ) -> None:
        self._verification, self._introspection = verification, introspection
        self._observer = Unobserved() if observer is None else observer

    @property
    def issuer(self) -> str:
        return self._verification.issuer

    @property
    def audience(self) -> str:
        return self._verification.audience

    async def verify(self, token: str, *scopes: str) -> AccessToken:
        """As of the verification; what the server calls not active is refused as revoked.

        Raises:
            TokenRejected, InsufficientScope, Unavailable: Either's.
        """
        held = await self._verification.verify(token, *scopes)
        if await self._introspection.introspect(token, hint="access_token") is None:
            self._observer.access_token_refused(Reason.REVOKED)
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, f"token {held.jti} is not active, says the server")
        return held
