"""Signing in with a password, as strangers may try it: the limits first, then the hash."""

from dataclasses import dataclass

from authcenter.accounts.users import Accounts
from authcenter.core.errors import invalid_grant
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.limits.logins import LoginLimits


@dataclass(frozen=True, slots=True)
class PasswordSignIn:
    """The one way in for a name and a password, whatever page or grant they came by."""

    accounts: Accounts
    limits: LoginLimits

    async def authenticate(self, login: str, password: str, address: str) -> User:
        """As ``Accounts.authenticate``; nobody whose password must be set anew first.

        Raises:
            RateLimited: Too many failed, from this address or for this name; nothing was looked up or hashed.
            OAuthError, Unavailable: As there.
        """
        user = await self.identify(login, password, address)
        if user.reset_required_at is not None:
            raise invalid_grant(Rule.USER_RESET_REQUIRED, f"{user.subject}, since {user.reset_required_at.isoformat()}")
        return user

    async def identify(self, login: str, password: str, address: str) -> User:
        """Who it is, for a page that leads whose ``reset_required_at`` is set to where they set a new password.

        Raises:
            RateLimited, OAuthError, Unavailable: As ``authenticate``.
        """
        async with self.limits.attempt(address, login):
            return await self.accounts.authenticate(login, password)
