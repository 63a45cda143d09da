"""A second factor, as strangers who know a password may try it: the limits first, and the owner hears of a bout."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from authcenter.accounts.failed_sign_ins import FailedSignIns
from authcenter.core.errors import OAuthError
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User
from authcenter.limits.logins import LoginLimits


@dataclass(frozen=True, slots=True)
class SecondFactorTries:
    """Counts codes and passkeys alike, so that neither leads round the limit of the other.

    Attributes:
        limits: Slots for wrong ones, by account and by address.
    """

    limits: LoginLimits
    failed: FailedSignIns

    @asynccontextmanager
    async def attempt(self, user: User, origin: RequestOrigin) -> AsyncIterator[None]:
        """Try one inside, as ``LoginLimits.attempt`` says; the last that fails is noted.

        Raises:
            RateLimited, Unavailable: As there.
        """
        async with self.limits.attempt(origin.ip, user.subject) as standing:
            try:
                yield
            except OAuthError:
                if standing.last:
                    await self.failed.note_second_factors(user, origin)
                raise
