"""Signing in at once, without pages: the password, and the second factor of who has one."""

from dataclasses import dataclass

from authcenter.accounts.second_step import SecondStep
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.core.errors import invalid_grant
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.core.value import Value

_LANGUAGE = "en"


class Presented(Value, frozen=True):
    """What an app sends of a person.

    Attributes:
        otp: A code of their authenticator app; ``recovery_code``: what stands in for it.
    """

    login: str
    password: str
    otp: str | None = None
    recovery_code: str | None = None


class Proof(Value, frozen=True):
    """Who it is, and how they proved it.

    Attributes:
        amr: The methods of RFC 8176; ``acr``: what they amount to.
    """

    user: User
    amr: tuple[str, ...]
    acr: str


@dataclass(frozen=True, slots=True)
class BothSteps:
    """The one way in for what asks nobody anything: the password grant, and the JSON of first-party apps."""

    password: PasswordSignIn
    second: SecondStep

    async def authenticate(self, presented: Presented, origin: RequestOrigin) -> Proof:
        """Check the password, then the second factor where there is one.

        Raises:
            RateLimited: Too many passwords, or codes, were wrong.
            OAuthError: ``invalid_grant``; by the rule ``USER_SECOND_FACTOR_DUE`` where all that is wrong is that a
                second factor is missing.
            Unavailable: Cannot tell.
        """
        user = await self.password.authenticate(presented.login, presented.password, origin.ip)
        if not await self.second.factors.due(user):
            return Proof(user, ("pwd",), ACR_ONE_FACTOR)
        # Nobody reads a page here whose language the mail could be in.
        language = str(user.claims.get("locale") or _LANGUAGE)
        if presented.otp is not None:
            methods = await self.second.prove(user, presented.otp, language, origin)
        elif presented.recovery_code is not None:
            methods = await self.second.prove(user, presented.recovery_code, language, origin, "recovery")
        else:
            raise invalid_grant(Rule.USER_SECOND_FACTOR_DUE, user.subject)
        return Proof(user, ("pwd", *methods), ACR_TWO_FACTORS)
