"""Signing in with a password, as strangers may try it: the limits first, then a pause, then the hash."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from authcenter.accounts.failed_sign_ins import FailedSignIns
from authcenter.accounts.users import Accounts
from authcenter.core.checks import failed
from authcenter.core.errors import OAuthError, invalid_grant
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.limits.logins import LoginLimits

_FAILURES_WITHOUT_PAUSE = 5
_FIRST_PAUSE_SECONDS = 0.1
_DOUBLINGS = 5


@dataclass(frozen=True, slots=True)
class PasswordSignIn:
    """The one way in for a name and a password, whatever page or grant they came by.

    Attributes:
        pause: Takes seconds.
    """

    accounts: Accounts
    limits: LoginLimits
    failed: FailedSignIns
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def authenticate(self, login: str, password: str, address: str) -> User:
        """As ``Accounts.authenticate``; nobody whose password must be set anew first.

        Raises:
            RateLimited: Too many failed, from this address or for this name; nothing was looked up or hashed.
            OAuthError, Unavailable: As there.
        """
        user = await self.identify(login, password, address)
        if user.reset_required_at is not None:
            failed("user", subject=user.subject, reset_required_at=str(user.reset_required_at))
            raise invalid_grant(Rule.USER_RESET_REQUIRED, f"{user.subject}, since {user.reset_required_at.isoformat()}")
        return user

    async def identify(self, login: str, password: str, address: str, device: str | None = None) -> User:
        """Who it is, for a page that leads whose ``reset_required_at`` is set to where they set a new password.

        Args:
            device: What ``KnownBrowsers`` says of the browser: its failures count for it alone.

        Raises:
            RateLimited, OAuthError, Unavailable: As ``authenticate``.
        """
        async with self.limits.attempt(address, login, device) as standing:
            if seconds := pause_after(standing.failures):
                await self.pause(seconds)
            try:
                return await self.accounts.authenticate(login, password)
            except OAuthError:
                if standing.last:
                    await self.failed.note(login, address)
                raise


def pause_after(failures: int) -> float:
    """How long a try waits after so many failures for the same name: nothing for a person's slips, then twice as
    long each time, in seconds, up to 3.2. Known and unknown names wait alike, and so do right and wrong passwords."""
    if failures < _FAILURES_WITHOUT_PAUSE:
        return 0.0
    # The exponent ends first: a policy may allow millions.
    return float(_FIRST_PAUSE_SECONDS * 2 ** min(failures - _FAILURES_WITHOUT_PAUSE, _DOUBLINGS))
