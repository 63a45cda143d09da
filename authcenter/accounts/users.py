"""What happens to an account: made, disabled, enabled, its password set, logged out, signed in."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from authcenter.accounts.account import NewAccount, is_askable
from authcenter.accounts.changes import Act, Change, Write
from authcenter.accounts.passwords import PasswordHashing, check_new_password
from authcenter.accounts.standard_claims import check_claims
from authcenter.core.checks import failed, passed
from authcenter.core.clock import Clock
from authcenter.core.cut import CUT_OUTLIVES_TOKENS_BY, Consequences, Cut, CutKind
from authcenter.core.errors import Conflict, NotFound, Unavailable, invalid_grant
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import SUBJECT_PREFIX, new_subject
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.stores.ports.accounts import UserStore

_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Accounts:
    """Users, and the acts on them. Every act is one transaction with its audit event and what it cuts off.

    Attributes:
        store: The record itself, not a cache of it: acts compare and set.
        longest_token: The longest that an access token can live.
    """

    store: UserStore
    hashing: PasswordHashing
    clock: Clock
    longest_token: timedelta

    async def find(self, subject: str) -> User | None:
        return await self.store.find(subject)

    async def list(self) -> Sequence[User]:
        return [user for user in await self.store.list_users() if user.erased_at is None]

    async def get(self, name: str) -> User:
        """By subject, user name or address; deleted accounts are nobody's.

        Raises:
            NotFound: There is none.
        """
        if is_askable(name):
            if name.startswith(SUBJECT_PREFIX):
                found = await self.store.find(name)
            else:
                credentials = await self.store.find_credentials(name)
                found = credentials.user if credentials else None
            if found and found.erased_at is None:
                return found
        raise NotFound(f"no user {name!a:.80}")

    async def create(
        self,
        username: str,
        email: str,
        password: Secret,
        roles: Iterable[str] = (),
        *,
        email_verified: bool = True,
        claims: Mapping[str, Any] = MappingProxyType({}),
        actor: str,
    ) -> User:
        """Make an account.

        Args:
            claims: Standard claims, as ``User`` has them.

        Raises:
            InvalidInput: A field does not hold; the text begins with its name.
            Conflict: Name or address is taken.
            Overloaded, StoreUnavailable: Try again.
        """
        account = NewAccount(username, email, frozenset(roles), email_verified)
        account.check()
        check_new_password(password)
        check_claims(claims)
        return await self.add(account, await self.hashing.hash(password.reveal()), claims=claims, actor=actor)

    async def add(
        self,
        account: NewAccount,
        password_hash: str,
        *,
        claims: Mapping[str, Any] = MappingProxyType({}),
        actor: str,
        imported: bool = False,
    ) -> User:
        """Make an account with a hash that is there already.

        Raises:
            InvalidInput, Conflict, StoreUnavailable: As ``create``; also where the subject is taken.
        """
        account.check()
        now = self.clock.now()
        user = User(
            subject=account.subject or new_subject(),
            username=account.username,
            email=account.email,
            email_verified=account.email_verified,
            roles=account.roles,
            created_at=now,
            updated_at=now,
            disabled_at=now if account.disabled else None,
            claims=dict(claims),
        )
        context = {"roles": sorted(user.roles), "imported": imported, "disabled": account.disabled}
        made = Event(EventKind.USER_CREATED, actor, subject=user.subject, context=context)
        cuts = (_membership(user, "user disabled"),) if account.disabled else ()
        await self.store.add(user, password_hash, Consequences(events=(made,), cuts=cuts))
        return user

    async def disable(self, name: str, *, actor: str, origin: RequestOrigin | None = None) -> User:
        """Let nothing be issued to the user, and refuse what was, whenever it was. Once disabled, a no-op.

        Raises:
            NotFound, StoreUnavailable: As ``get``.
            Conflict: Others kept writing: try again. Or ``actor`` is the user.
        """

        def act(user: User) -> Change | None:
            if user.subject == actor:
                raise Conflict("nobody can disable themselves: ask another operator")
            if user.disabled_at:
                return None
            cut = _membership(user, "user disabled")
            disabled = replace(user, disabled_at=self.clock.now())
            return Change(disabled, EventKind.USER_DISABLED, cuts=(cut,), origin=origin)

        return await self.change(name, act, actor)

    async def enable(self, name: str, *, actor: str, origin: RequestOrigin | None = None) -> User:
        """Let the user in again; tokens from before stay dead. A no-op where nobody disabled it.

        Raises:
            NotFound, Conflict, StoreUnavailable: As ``disable``.
        """

        def act(user: User) -> Change | None:
            if not user.disabled_at:
                return None
            lifts = ((CutKind.SUBJECT, user.subject),)
            return Change(replace(user, disabled_at=None), EventKind.USER_ENABLED, lifts=lifts, origin=origin)

        return await self.change(name, act, actor)

    async def set_password(self, name: str, password: Secret, *, actor: str) -> User:
        """Set a password, and refuse all that was issued before.

        Raises:
            InvalidInput: The password does not do.
            Overloaded: The password pool is full.
            NotFound, Conflict, StoreUnavailable: As ``disable``.
        """
        check_new_password(password)
        user = await self.get(name)
        password_hash = await self.hashing.hash(password.reveal())

        def act(user: User) -> Change:
            return Change(user, EventKind.USER_PASSWORD_SET, cuts=self.cuts_now(user, "password set"))

        return await self.change(user.subject, act, actor, self.with_password(password_hash))

    async def set_claims(
        self, name: str, changes: Mapping[str, Any], *, actor: str, origin: RequestOrigin | None = None
    ) -> User:
        """Change standard claims; None takes one away.

        Raises:
            InvalidInput: What would stand there then does not hold; the text begins with ``claim``.
            NotFound, Conflict, StoreUnavailable: As ``disable``.
        """

        def act(user: User) -> Change:
            claims = {name: value for name, value in {**user.claims, **changes}.items() if value is not None}
            check_claims(claims)
            return Change(replace(user, claims=claims), EventKind.USER_CLAIMS_SET, origin=origin)

        return await self.change(name, act, actor)

    async def logout(self, name: str, *, actor: str, origin: RequestOrigin | None = None) -> User:
        """Refuse all that was issued to the user up to now.

        Raises:
            NotFound, Conflict, StoreUnavailable: As ``disable``.
        """

        def act(user: User) -> Change:
            return Change(user, EventKind.USER_LOGGED_OUT, cuts=self.cuts_now(user, "logged out"), origin=origin)

        return await self.change(name, act, actor)

    async def require_reset(self, name: str, *, actor: str, origin: RequestOrigin | None = None) -> User:
        """Let the password count for nothing but setting another one, and refuse all that was issued before.

        Raises:
            NotFound, Conflict, StoreUnavailable: As ``disable``.
        """

        def act(user: User) -> Change:
            changed = replace(user, reset_required_at=self.clock.now())
            cuts = self.cuts_now(user, "new password required")
            return Change(changed, EventKind.USER_RESET_REQUIRED, cuts=cuts, origin=origin)

        return await self.change(name, act, actor)

    async def authenticate(self, login: str, password: str) -> User:
        """The user who has this name, or else this address, and proves it by the password.

        Whatever is wrong is answered in the same words, after one password verification. What an operator may know
        beyond that is in the rule; the hint never repeats ``login``, since people type passwords there.

        Raises:
            OAuthError: ``invalid_grant``; that the account is disabled or its address unverified is only found out
                by whoever knows the password.
            Overloaded, StoreUnavailable: Cannot tell now.
        """
        found = await self.store.find_credentials(login) if is_askable(login) else None
        if found is None:
            await self.hashing.dummy_verify()
            failed("user", known=False)
            raise invalid_grant(Rule.USER_UNKNOWN, "no such name")
        user = found.user
        if not await self.hashing.verify(password, found.password_hash):
            # Nothing of what came: whoever can guess could compare.
            failed("password", subject=user.subject, differs=True)
            raise invalid_grant(Rule.USER_PASSWORD_WRONG, user.subject)
        if user.disabled_at:
            failed("user", subject=user.subject, disabled_at=str(user.disabled_at))
            raise invalid_grant(Rule.USER_DISABLED, f"{user.subject}, disabled {user.disabled_at.isoformat()}")
        if not user.email_verified:
            failed("user", subject=user.subject, address_verified=False)
            raise invalid_grant(Rule.USER_ADDRESS_UNVERIFIED, user.subject)
        passed("password", subject=user.subject)
        if self.hashing.needs_upgrade(found.password_hash):
            # The old hash did its work; the next sign-in tries again.
            with suppress(Unavailable):
                better = await self.hashing.hash(password)
                await self.store.upgrade_password_hash(user.subject, found.password_hash, better)
        return user

    async def change(self, name: str, act: Act, actor: str, write: Write | None = None) -> User:
        """Compare and set, anew from what others wrote meanwhile.

        Args:
            act: Makes the change of the newest revision; None: there is nothing to change.
            write: Where more is to be kept in the same transaction; False: others have written it meanwhile.

        Raises:
            NotFound, Conflict, StoreUnavailable: As ``disable``; and what ``act`` and ``write`` raise.
        """
        write = write or self.store.replace
        subject = (await self.get(name)).subject
        for attempt in range(_ATTEMPTS):
            user = await self.get(subject)
            change = act(user)
            if change is None:
                return user
            changed = replace(change.user, updated_at=self.clock.now())
            event = Event(change.kind, actor, subject=subject, origin=change.origin, context=change.context)
            consequences = Consequences(events=(event,), cuts=change.cuts, lifts=change.lifts, jobs=change.jobs)
            if await write(changed, consequences):
                return await self.get(subject)
            await asyncio.sleep(0.01 * attempt)
        raise Conflict(f"{subject} is being written by others: try again")

    def with_password(self, password_hash: str) -> Write:
        """Writes the hash along with the user."""

        async def write(user: User, consequences: Consequences) -> bool:
            return await self.store.replace(user, consequences, password_hash=password_hash)

        return write

    def cuts_now(self, user: User, reason: str) -> tuple[Cut, ...]:
        """What refuses all that was issued to ``user`` up to now."""
        # Under a disabled user's cut of everything there is nothing left to cut, and this one would give it an end.
        return () if user.disabled_at else (self._until_now(user, reason),)

    def _until_now(self, user: User, reason: str) -> Cut:
        expires_at = self.clock.now() + self.longest_token + CUT_OUTLIVES_TOKENS_BY
        return Cut(CutKind.SUBJECT, user.subject, reason, until_now=True, expires_at=expires_at)


def _membership(user: User, reason: str) -> Cut:
    return Cut(CutKind.SUBJECT, user.subject, reason)
