"""What the verifier asks about revocation, however it is learnt."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from authcenter.core.token import AccessToken
from authcenter.sdk.signed_document import IssuerKeys


class RevocationView(Protocol):
    """What this process knows to be revoked.

    Attributes:
        version: Changes with whatever is learnt; a verdict that was remembered under another is asked anew. None
            while nothing may be remembered: a view that refuses once it is stale has it from then on.
    """

    @property
    def version(self) -> object: ...

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, for operators; None where nothing is known against it.

        Raises:
            RevocationsUnknown: Too little is known to tell, and such tokens are to be refused then.
        """
        ...


class RevocationOpener(Protocol):
    """Opens a view for as long as a verifier is open: ``partial(RevocationFeed, client_id=…, client_secret=…)``."""

    def __call__(self, issuer: str, keys: IssuerKeys, *, leeway: float) -> AbstractAsyncContextManager[RevocationView]:
        """``leeway``: how many seconds after its ``exp`` the verifier still accepts a token."""
        ...


class NoRevocations(RevocationView):
    """For resource servers that let a token live until it expires."""

    version = 0

    def refusal(self, token: AccessToken) -> str | None:
        return None
