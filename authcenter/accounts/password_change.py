"""New passwords of people who know the old one: because they wish to, or because an operator demands it."""

from dataclasses import dataclass
from datetime import timedelta

from authcenter.accounts.own_passwords import OwnPasswords, Setting
from authcenter.accounts.sign_in import PasswordSignIn
from authcenter.core.clock import Clock
from authcenter.core.origin import RequestOrigin
from authcenter.core.secret import Secret
from authcenter.core.user import User

PROOF_LASTS = timedelta(minutes=10)
"""How long the old password counts on the page that sets the one which is demanded."""


@dataclass(frozen=True, slots=True)
class PasswordChange:
    """Sets a password in place of one that was proved."""

    sign_in: PasswordSignIn
    passwords: OwnPasswords
    clock: Clock

    async def change(self, user: User, old: str, new: Secret, language: str, origin: RequestOrigin) -> User:
        """Set ``new``, as ``old`` is theirs. A wrong one counts as a failed sign-in.

        Raises:
            RateLimited: Too many failed.
            OAuthError: ``invalid_grant``: ``old`` is wrong.
            PasswordRefused: ``new`` does not do.
            Conflict: The account was written meanwhile, so that ``old`` may not be its password any more.
            Overloaded, StoreUnavailable: Try again.
        """
        proved = await self.sign_in.identify(user.username, old, origin.ip)
        setting = Setting("change", language, origin, lambda held: held.revision == proved.revision)
        return await self.passwords.set(proved, new, setting)

    def still_due(self, user: User, proved_at: float) -> bool:
        """Whether a new password is demanded of ``user``, and the old one, proved then (Unix seconds), counts for it.

        Not where the demand, or another password, came later: both cut off what was before.
        """
        cut_at = user.cut_at.timestamp() if user.cut_at else 0.0
        lapsed = self.clock.seconds() > proved_at + PROOF_LASTS.total_seconds()
        return user.reset_required_at is not None and user.disabled_at is None and cut_at <= proved_at and not lapsed

    async def replace_demanded(
        self, user: User, new: Secret, proved_at: float, language: str, origin: RequestOrigin
    ) -> User:
        """Set ``new`` where an operator demands it, by the old password that was proved then.

        Raises:
            PasswordRefused, Conflict, Overloaded, StoreUnavailable: As ``change``.
        """
        setting = Setting("demanded", language, origin, lambda held: self.still_due(held, proved_at))
        return await self.passwords.set(user, new, setting)
