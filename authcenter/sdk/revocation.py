"""What the verifier asks about revocation, however it is learnt."""

from typing import Protocol

from authcenter.core.token import AccessToken


class RevocationView(Protocol):
    """What this process knows to be revoked.

    Attributes:
        version: Rises with whatever is learnt; a verdict that was remembered under another is asked anew.
            A view that refuses once it is stale has another from then on, too.
    """

    @property
    def version(self) -> object: ...

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, for operators; None where nothing is known against it.

        Raises:
            RevocationsUnknown: Too little is known to tell, and such tokens are to be refused then.
        """
        ...


class NoRevocations(RevocationView):
    """For resource servers that let a token live until it expires."""

    version = 0

    def refusal(self, token: AccessToken) -> str | None:
        return None
