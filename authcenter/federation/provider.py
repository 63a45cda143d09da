"""What every identity provider does, whichever protocol it speaks."""

from typing import Protocol

from authcenter.core.errors import OAuthError
from authcenter.core.identity import ExternalIdentity
from authcenter.core.value import Value


class Attempt(Value, frozen=True):
    """One sign-in at a provider, from leaving for it until coming back.

    Attributes:
        state: Comes back as it went (RFC 6749 §4.1.1).
        nonce: What an ID token must repeat (OpenID Connect Core §3.1.2.1).
        verifier: Whose challenge goes ahead (RFC 7636).
        redirect_uri: One for each provider, so that no answer is taken for another's (RFC 9700 §4.4.2).
        began_at: Unix seconds.
        login_hint: Who is probably coming.
        afresh: Whether a session that they have at the provider is not enough.
    """

    state: str
    nonce: str
    verifier: str
    redirect_uri: str
    began_at: float
    login_hint: str = ""
    afresh: bool = False

    def __repr__(self) -> str:
        return "Attempt(…)"


class Answered(Value, frozen=True):
    """What came back through the browser: anybody may have written it.

    Attributes:
        issuer: Who says to have answered (RFC 9207).
        error: Why there is no code (RFC 6749 §4.1.2.1).
    """

    code: str | None
    issuer: str | None = None
    error: str | None = None

    def __repr__(self) -> str:
        return "Answered(…)"


class Declined(Exception):
    """The person changed their mind at the provider. Nobody is to blame."""


class IdentityProvider(Protocol):
    """Knows who people are."""

    async def address(self, attempt: Attempt) -> str:
        """Where the browser is to go.

        Raises:
            OAuthError: The provider does not answer, or not what can be used.
        """
        ...

    async def identify(self, attempt: Attempt, answered: Answered) -> ExternalIdentity:
        """Who came back.

        Raises:
            Declined: They did not want to.
            OAuthError: The answer is not this provider's to this attempt, or cannot be used.
        """
        ...


def settle(answered: Answered, refused: OAuthError, without_code: OAuthError) -> str:
    """The code of an answer.

    Raises:
        Declined: The person did not want to.
        OAuthError: ``refused``: the provider would not; ``without_code``: it says nothing.
    """
    if answered.error == "access_denied":
        raise Declined
    if answered.error is not None:
        raise refused
    if answered.code is None:
        raise without_code
    return answered.code
