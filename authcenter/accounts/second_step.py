"""The second step of signing in, as strangers who know a password may try it: the limits first, then the code."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from authcenter.accounts.second_factor_tries import SecondFactorTries
from authcenter.accounts.second_factors import SecondFactors
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User

Way = Literal["code", "recovery"]

OTP_METHODS = ("otp", "mfa")
"""What RFC 8176 calls a second step by a one-time code. A recovery code is one as well: it counts once, and the
registry knows no closer value; which it was is in the audit log."""


@dataclass(frozen=True, slots=True)
class SecondStep:
    """Proves a second factor by something typed."""

    factors: SecondFactors
    tries: SecondFactorTries

    async def prove(
        self, user: User, typed: str, language: str, origin: RequestOrigin, way: Way = "code"
    ) -> Sequence[str]:
        """The methods of RFC 8176 that were proved.

        Args:
            language: Of the mail that tells of a recovery code's use.

        Raises:
            RateLimited: Too many were wrong, of this account or from this address; nothing was looked at.
            OAuthError: ``invalid_grant``: wrong, or used before.
            Unavailable: Cannot tell now.
        """
        async with self.tries.attempt(user, origin):
            if way == "recovery":
                await self.factors.recover(user, typed, language, origin)
            else:
                await self.factors.prove(user, typed)
        return OTP_METHODS

    async def confirm(self, user: User, typed: str, language: str, origin: RequestOrigin) -> list[str]:
        """As ``SecondFactors.confirm``, within the same limits. Who mistypes here is signed in: nobody is told."""
        async with self.tries.limits.attempt(origin.ip, user.subject):
            return await self.factors.confirm(user, typed, language, origin)
