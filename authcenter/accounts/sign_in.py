"""Signing in with a password, as strangers may try it: the limits first, then the hash."""

from dataclasses import dataclass

from authcenter.accounts.users import Accounts
from authcenter.core.user import User
from authcenter.limits.logins import LoginLimits


@dataclass(frozen=True, slots=True)
class PasswordSignIn:
    """The one way in for a name and a password, whatever page or grant they came by."""

    accounts: Accounts
    limits: LoginLimits

    async def authenticate(self, login: str, password: str, address: str) -> User:
        """As ``Accounts.authenticate``.

        Raises:
            RateLimited: Too many failed, from this address or for this name; nothing was looked up or hashed.
            OAuthError, Unavailable: As there.
        """
        async with self.limits.attempt(address, login):
            return await self.accounts.authenticate(login, password)
