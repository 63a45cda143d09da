"""For resource servers that know only standards: tokens are looked up in the status list that they name."""

from authcenter.core.errors import Reason, TokenRejected
from authcenter.core.rules import Rule
from authcenter.core.token import AccessToken
from authcenter.sdk.observer import Observer, Unobserved
from authcenter.sdk.status_lists import StatusLists
from authcenter.sdk.verification import TokenVerification


class StatusVerification(TokenVerification):
    """Checks a token here, and then its ``status``. Tokens that have none pass: the policy need not give it to them."""

    def __init__(self, verification: TokenVerification, lists: StatusLists, observer: Observer | None = None) -> None:
        self._verification, self._lists = verification, lists
        self._observer = Unobserved() if observer is None else observer

    @property
    def issuer(self) -> str:
        return self._verification.issuer

    @property
    def audience(self) -> str:
        return self._verification.audience

    async def verify(self, token: str, *scopes: str) -> AccessToken:
        """As of the verification; what its list does not call valid is refused as revoked.

        Raises:
            TokenRejected, InsufficientScope, Unavailable: The verification's.
            RevocationsUnknown: The list cannot tell.
        """
        held = await self._verification.verify(token, *scopes)
        try:
            refusal = await self._lists.refusal(held)
        except TokenRejected as rejected:
            self._observer.access_token_refused(rejected.reason)
            raise
        if refusal:
            self._observer.access_token_refused(Reason.REVOKED)
            raise TokenRejected(Reason.REVOKED, Rule.TOKEN_REVOKED, refusal)
        return held
