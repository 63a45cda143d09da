"""A new address of an account: it counts once its mailbox has been proved, by the person whose account it is."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from authcenter.accounts.account import NewAccount
from authcenter.accounts.changes import Change
from authcenter.accounts.letters import Letters
from authcenter.accounts.link_checks import check_link, link_gone
from authcenter.accounts.users import Accounts
from authcenter.core.account_links import TOKEN_BYTES, AddressChange, link_digest
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, InvalidInput
from authcenter.core.event import Event, EventKind
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.user import User, name_key
from authcenter.limits.mails import MailLimit
from authcenter.stores.ports.address_changes import AddressChangeStore


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """Asks a new mailbox, and takes the address over when it answers.

    Whether the address is somebody else's is found out in that mailbox alone.

    Attributes:
        path: Makes the path of a link from its token.
        forget: Makes the caches of this process forget a subject; others hear of it by the change feed.
    """

    accounts: Accounts
    links: AddressChangeStore
    letters: Letters
    mails: MailLimit
    clock: Clock
    lifetime: Callable[[], timedelta]
    path: Callable[[bytes], str]
    forget: Callable[[str], None]

    async def ask(self, user: User, email: str, language: str, origin: RequestOrigin) -> None:
        """Send a link to ``email``; earlier ones end.

        Raises:
            InvalidInput: It is no address, or the one that the account has.
            RateLimited: The account has had as many mailboxes asked as it may.
            Unavailable: Nothing was sent.
        """
        named = replace(user, email=email, username=_name_with(user, email))
        NewAccount(named.username, email, frozenset()).check()
        if name_key(email) == name_key(user.email):
            raise InvalidInput("email: the account has this one")
        await self.mails.ask(user.subject)
        if not await self.mails.allowed(email, "new_address"):
            return
        token, now = secrets.token_bytes(TOKEN_BYTES), self.clock.now()
        # Without the name: it is anything that somebody chose, and the reader may be a stranger to them.
        letter = Letter(MailKind.CONFIRM_NEW_ADDRESS, email, language, {"link": self.path(token)})
        held = await self.accounts.store.find_credentials(email)
        if held is not None:
            # The same writes, so that no clock tells it either; nobody has the token.
            letter = Letter(MailKind.ADDRESS_HAS_ACCOUNT, held.user.email, language, {"name": held.user.username})
        asked = Event(EventKind.USER_ADDRESS_CHANGE_ASKED, user.subject, subject=user.subject, origin=origin)
        link = AddressChange(link_digest(token), user.subject, email, now, now + self.lifetime())
        await self.links.add(link, Consequences(events=(asked,), jobs=(self.letters.job(letter),)))

    async def asked(self, user: User, token: bytes | None) -> AddressChange:
        """The change that the link is about.

        Raises:
            OAuthError: It is none of ours, no longer valid, or of another account than ``user``.
            StoreUnavailable: Cannot tell.
        """
        change = await self.links.find(link_digest(token)) if token is not None else None
        if change is None:
            raise link_gone(Rule.ACCOUNT_LINK_UNKNOWN, "never sent, or forgotten since")
        if change.subject != user.subject:
            raise link_gone(Rule.ACCOUNT_LINK_FOREIGN, f"{user.subject} is signed in, and it is about another account")
        check_link(change, self.clock.now())
        return change

    async def confirm(self, user: User, token: bytes | None, language: str, origin: RequestOrigin) -> User:
        """The address is the account's from now on; the former one is told.

        Raises:
            OAuthError: As ``asked``; also where the address has become somebody else's meanwhile.
            Conflict: Others kept writing the account.
            StoreUnavailable: Try again.
        """
        change = await self.asked(user, token)

        def act(held: User) -> Change:
            changed = replace(held, email=change.email, email_verified=True, username=_name_with(held, change.email))
            notice = Letter(MailKind.ADDRESS_CHANGED, held.email, language, {"name": held.username})
            jobs = (self.letters.job(notice),)
            return Change(changed, EventKind.USER_ADDRESS_CHANGED, jobs=jobs, origin=origin)

        async def write(changed: User, consequences: Consequences) -> bool:
            try:
                if await self.links.confirm(change.digest, self.clock.now(), changed, consequences):
                    return True
            except Conflict as taken:
                raise link_gone(Rule.ACCOUNT_LINK_SPENT, "the address is somebody else's by now") from taken
            await self.asked(user, token)
            return False

        changed = await self.accounts.change(user.subject, act, user.subject, write)
        self.forget(user.subject)
        return changed


def _name_with(user: User, email: str) -> str:
    """The user name: where it is the address, it goes with it, since nobody is named by another's address."""
    return email if name_key(user.username) == name_key(user.email) else user.username
