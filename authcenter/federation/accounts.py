"""Whose account an identity elsewhere is: found or made in one transaction; no address opens somebody else's.

An identity is its provider and the provider's subject. An address only ever links it to an account that is there where
both sides have verified that it is the person's; otherwise they sign in to that account first.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from authcenter.accounts.letters import Letters
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, ErrorCode, InvalidInput, OAuthError
from authcenter.core.event import Event, EventKind
from authcenter.core.identity import ExternalIdentity, Identity
from authcenter.core.ids import Subject
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.user import User
from authcenter.federation.newcomers import names_for, newcomer
from authcenter.federation.offered import Offered
from authcenter.limits.sign_ups import SignUpLimit
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.identities import IdentityStore

_ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class Circumstances:
    """In what an act on identities happens.

    Attributes:
        language: What a mail about it is written in.
    """

    origin: RequestOrigin
    language: str


@dataclass(frozen=True, slots=True)
class FederatedAccounts:
    """Finds, makes, links and unlinks. Every act is one transaction with its audit events and its mail.

    Attributes:
        users: The record itself, not a cache of it.
        has_other_way: Whether a user can sign in without any identity.
        limit: Of accounts that may be opened from an address.
    """

    identities: IdentityStore
    users: UserStore
    letters: Letters
    clock: Clock
    has_other_way: Callable[[User], Awaitable[bool]]
    limit: SignUpLimit

    async def find_or_create_user(self, told: ExternalIdentity, provider: Offered, at: Circumstances) -> User:
        """Who ``told`` is here.

        Raises:
            OAuthError: Nobody, and nobody can be made of it; or somebody who is disabled.
            RateLimited: Too many accounts from that address.
            Conflict: Others kept writing; try again.
            StoreUnavailable: Cannot tell.
        """
        names, counted = names_for(told), False
        for _ in range(_ATTEMPTS):
            held = await self.identities.find(told.provider, told.provider_subject)
            if held is not None:
                return await self._known(held, told)
            # First of all checks, so that whoever does not own an address learns nothing of it.
            if not (told.email and told.email_verified):
                raise _refused(Rule.IDENTITY_UNVERIFIED, f"{told.provider} does not say that the address is verified")
            user = await self._with_address(told.email)
            if user is not None:
                if await self._link_by_address(user, told, provider, at):
                    return user
            elif not provider.opens_accounts:
                raise _refused(Rule.IDENTITY_STRANGER, f"{told.provider} opens no accounts here")
            elif not counted:
                await self.limit.ask(at.origin.ip)
                counted = True
            elif (made := await self._open(told, next(names), at)) is not None:
                return made
        raise Conflict("the account is being written by others: try again")

    async def link(self, user: User, told: ExternalIdentity, provider: Offered, at: Circumstances) -> None:
        """Let ``told`` sign in to ``user``'s account, who is signed in. Linked already, a no-op.

        Raises:
            OAuthError: It belongs to another account, or the user is gone.
            StoreUnavailable: Cannot tell.
        """
        held = await self.identities.find(told.provider, told.provider_subject)
        if held is None:
            try:
                if await self._link(user, told, provider, at):
                    return
            except Conflict:
                held = await self.identities.find(told.provider, told.provider_subject)
        if held is None or held.subject != user.subject:
            raise _refused(Rule.IDENTITY_TAKEN, f"not to be had for {user.subject}", status=409)

    async def unlink(
        self, user: User, provider: str, provider_subject: str, offered: Sequence[Offered], at: Circumstances
    ) -> None:
        """Take an identity away. None there, a no-op.

        Args:
            offered: The providers there are: those of others are no way in.

        Raises:
            OAuthError: It is the last way to sign in.
            StoreUnavailable: Cannot tell.
        """
        held = await self.identities.find(provider, provider_subject)
        if held is None or held.subject != user.subject:
            return
        names = {each.name: each.title for each in offered}
        title = names.get(provider, provider)
        gone = self._consequences(EventKind.IDENTITY_UNLINKED, MailKind.IDENTITY_UNLINKED, user, held, title, at)
        spare = await self.has_other_way(user)
        if await self.identities.remove(held, gone, among=None if spare else names.keys()):
            return
        # Two clicks are one wish: what the other has taken away is not what stays.
        if await self.identities.find(provider, provider_subject) is not None:
            raise _refused(Rule.IDENTITY_LAST, f"{user.subject} has no other way in", status=409)

    async def list_of(self, subject: str) -> Sequence[Identity]:
        """By when they were linked, the oldest first."""
        return await self.identities.list_of(subject)

    async def _known(self, held: Identity, told: ExternalIdentity) -> User:
        user = await self.users.find(held.subject)
        if user is None or user.disabled_at is not None:
            raise _refused(Rule.USER_DISABLED, f"{held.subject} is disabled")
        await self.identities.used(self._identity(told, held.subject))
        return user

    async def _with_address(self, address: str) -> User | None:
        found = await self.users.find_credentials(address)
        return found.user if found is not None else None

    async def _link_by_address(self, user: User, told: ExternalIdentity, provider: Offered, at: Circumstances) -> bool:
        """Whether it is done; not, where somebody else wrote first."""
        if user.disabled_at is not None:
            raise _refused(Rule.USER_DISABLED, f"{user.subject} is disabled")
        if not (user.email_verified and _same_mailbox(user.email, told.email)):
            raise _refused(Rule.IDENTITY_ADDRESS, f"{user.subject} has the address, not verified", status=409)
        try:
            return await self._link(user, told, provider, at, address=told.email)
        except Conflict:
            return False

    async def _link(
        self,
        user: User,
        told: ExternalIdentity,
        provider: Offered,
        at: Circumstances,
        *,
        address: str | None = None,
    ) -> bool:
        identity = self._identity(told, user.subject)
        kinds = EventKind.IDENTITY_LINKED, MailKind.IDENTITY_LINKED
        linked = self._consequences(*kinds, user, identity, provider.title, at)
        return await self.identities.link(identity, linked, address=address)

    async def _open(self, told: ExternalIdentity, username: str, at: Circumstances) -> User | None:
        """The new account; None where somebody else wrote first, or has that name."""
        try:
            user = newcomer(told, username, self.clock.now())
        except InvalidInput as problem:
            raise _refused(Rule.IDENTITY_UNVERIFIED, f"no account can have it: {problem}") from problem
        about = {"roles": [], "imported": False, "disabled": False, "provider": told.provider}
        made = Event(EventKind.USER_CREATED, user.subject, subject=user.subject, origin=at.origin, context=about)
        linked = _event(EventKind.IDENTITY_LINKED, user.subject, told.provider, at)
        try:
            await self.identities.open(user, self._identity(told, user.subject), Consequences(events=(made, linked)))
        except Conflict:
            return None
        return user

    def _identity(self, told: ExternalIdentity, subject: Subject) -> Identity:
        now = self.clock.now()
        return Identity(told.provider, told.provider_subject, subject, told.email, told.name or told.username, now, now)

    def _consequences(
        self, event: EventKind, mail: MailKind, user: User, identity: Identity, title: str, at: Circumstances
    ) -> Consequences:
        values = {"provider": title, "identity": identity.email or identity.name, "username": user.username}
        letter = Letter(mail, user.email, at.language, values)
        done = _event(event, user.subject, identity.provider, at)
        return Consequences(events=(done,), jobs=(self.letters.job(letter),))


def _event(kind: EventKind, subject: str, provider: str, at: Circumstances) -> Event:
    return Event(kind, subject, subject=subject, origin=at.origin, context={"provider": provider})


def _same_mailbox(ours: str, theirs: str) -> bool:
    """Whether they are one beyond doubt: ``name_key`` makes one of some addresses that are two mailboxes."""
    return ours == theirs or (ours.isascii() and theirs.isascii() and ours.lower() == theirs.lower())


def _refused(rule: Rule, hint: str, *, status: int = 403) -> OAuthError:
    return OAuthError(ErrorCode.ACCESS_DENIED, _NOT_THIS_WAY, rule=rule, hint=hint, status=status)


_NOT_THIS_WAY = "This identity does not sign in to an account here."
