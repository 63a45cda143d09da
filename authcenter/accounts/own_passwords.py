"""Passwords that people set themselves, whichever way they have proved that the account is theirs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from authcenter.accounts.changes import Change, Write
from authcenter.accounts.letters import Letters
from authcenter.accounts.password_rules import PasswordReason, PasswordRefused, PasswordRules
from authcenter.accounts.users import Accounts
from authcenter.core.errors import Conflict
from authcenter.core.event import EventKind
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.secret import Secret
from authcenter.core.user import User


@dataclass(frozen=True, slots=True)
class Setting:
    """How a password comes to be set.

    Attributes:
        way: For the audit log.
        language: Of the notice.
        holds: Whether the proof still counts for what the account has become; asked of the very revision that is
            written over.
        also: Fields of the user that it changes beside.
        write: Writes user and hash where it is more than that.
    """

    way: str
    language: str
    origin: RequestOrigin
    holds: Callable[[User], bool] = lambda _: True
    also: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    write: Callable[[str], Write] | None = None


@dataclass(frozen=True, slots=True)
class OwnPasswords:
    """Sets them: all that was issued to the person before is refused from then on, and a notice is sent.

    Attributes:
        forget: Makes the caches of this process forget a subject; others hear of it by the change feed.
    """

    accounts: Accounts
    rules: PasswordRules
    letters: Letters
    forget: Callable[[str], None]

    async def set(self, user: User, password: Secret, setting: Setting) -> User:
        """Set the password of ``user``, and lift the demand for a new one.

        Raises:
            PasswordRefused: It does not do; nothing was changed.
            Conflict: The account has changed so that the proof counts no more, or others kept writing.
            Overloaded, StoreUnavailable: Try again.
        """
        await self._check(user, password)
        password_hash = await self.accounts.hashing.hash(password.reveal())

        def act(held: User) -> Change:
            if held.disabled_at is not None or not setting.holds(held):
                raise Conflict(f"{held.subject} has changed meanwhile")
            notice = Letter(MailKind.PASSWORD_CHANGED, held.email, setting.language, {"name": held.username})
            return Change(
                replace(held, reset_required_at=None, **setting.also),
                EventKind.USER_PASSWORD_SET,
                cuts=self.accounts.cuts_now(held, "password set"),
                jobs=(self.letters.job(notice),),
                origin=setting.origin,
                context={"way": setting.way},
            )

        write = setting.write or self.accounts.with_password
        changed = await self.accounts.change(user.subject, act, user.subject, write(password_hash))
        self.forget(user.subject)
        return changed

    def words_about(self, user: User) -> list[str]:
        """What others may know of the person: no password is made of it."""
        return [user.username, user.email, *(text for text in user.claims.values() if isinstance(text, str))]

    async def _check(self, user: User, password: Secret) -> None:
        strength = await self.rules.check(password, self.words_about(user))
        held = await self.accounts.store.find_credentials(user.username)
        if held is None or held.user.subject != user.subject:
            raise Conflict(f"{user.subject} has changed meanwhile")
        if await self.accounts.hashing.verify(password.reveal(), held.password_hash):
            raise PasswordRefused(PasswordReason.SAME, strength)
