"""Forgotten passwords: asked for by anybody, answered by a mail to the stored address, set by the link in it.

Who asks is told nothing: the request looks nobody up, and leaves the same job for every address. A worker finds out
whose it is.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from authcenter.accounts.account import is_askable
from authcenter.accounts.changes import Write
from authcenter.accounts.letters import Letters
from authcenter.accounts.link_checks import check_link, link_gone
from authcenter.accounts.own_passwords import OwnPasswords, Setting
from authcenter.accounts.users import Accounts
from authcenter.core.account_links import ResetLink, link_digest
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.derived import MacKeys
from authcenter.core.errors import Conflict
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId
from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.user import User, name_key
from authcenter.limits.mails import MailLimit
from authcenter.limits.networks import NetworkLimit
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.ports.password_resets import PasswordResetStore


@dataclass(frozen=True, slots=True)
class ResetRequests:
    """Takes requests, as strangers may make them.

    Attributes:
        mails: By address, whether or not it is known; ``networks``: by where they come from.
    """

    outbox: Outbox
    letters: Letters
    mails: MailLimit
    networks: NetworkLimit

    async def ask(self, email: str, language: str, origin: RequestOrigin) -> None:
        """Promise a mail to ``email``, should it be somebody's.

        Beyond the limit of an address nothing is left, and the answer is the same.

        Raises:
            RateLimited: Too many requests from there.
            Unavailable: Nothing was promised.
        """
        await self.networks.take(origin.ip)
        if not await self.mails.allowed(email, "reset") or not is_askable(email):
            return
        asked_by = {"request_id": origin.request_id, "ip": origin.ip, "user_agent": origin.user_agent[:400]}
        job = self.letters.job(Letter(MailKind.RESET_PASSWORD, email, language, asked_by))
        await self.outbox.add([replace(job, name=JobName.RESET_ASKED)])


@dataclass(frozen=True, slots=True)
class ResetLinks:
    """Makes the links that were asked for.

    Attributes:
        path: Makes the path of a link from its token.
        macs: Make the token of a job, so that done twice it is one link and one mail.
    """

    accounts: Accounts
    links: PasswordResetStore
    letters: Letters
    macs: MacKeys
    clock: Clock
    lifetime: Callable[[], timedelta]
    path: Callable[[bytes], str]

    async def send(self, payload: Mapping[str, Any]) -> bool:
        """Leave the mail with the link, where the address is somebody's. False: nobody can read the request any more.

        Raises:
            StoreUnavailable: Try again.
        """
        asked = self.letters.open(payload)
        if asked is None:
            return False
        held = await self.accounts.store.find_credentials(asked.to)
        if held is None or name_key(held.user.email) != name_key(asked.to):
            return True
        user, now = held.user, self.clock.now()
        token, lifetime = self._token(str(payload["id"])), self.lifetime()
        link = ResetLink(link_digest(token), user.subject, now, now + lifetime)
        minutes = lifetime // timedelta(minutes=1)
        values = {"name": user.username, "link": self.path(token), "minutes": str(minutes)}
        # To the stored address: what was typed may be written otherwise, and lead elsewhere.
        letter = Letter(MailKind.RESET_PASSWORD, user.email, asked.language, values)
        origin = RequestOrigin(RequestId(asked.values["request_id"]), asked.values["ip"], asked.values["user_agent"])
        sent = Event(EventKind.USER_RESET_SENT, "system", subject=user.subject, origin=origin)
        await self.links.add(link, Consequences(events=(sent,), jobs=(self.letters.job(letter),)))
        return True

    def _token(self, job_id: str) -> bytes:
        return hashlib.sha256(self.macs.make(job_id.encode()).encode()).digest()


@dataclass(frozen=True, slots=True)
class PasswordReset:
    """Sets a password by the link of a mail."""

    accounts: Accounts
    links: PasswordResetStore
    passwords: OwnPasswords
    clock: Clock

    async def owner(self, token: bytes | None) -> User:
        """Whose password the link sets. It is not spent.

        Raises:
            OAuthError: It is none of ours, or no longer valid.
            StoreUnavailable: Cannot tell.
        """
        return (await self._open(token))[1]

    async def reset(self, token: bytes | None, password: Secret, language: str, origin: RequestOrigin) -> User:
        """Spend the link and set the password; whoever can read the mail has proved the address, too.

        Raises:
            PasswordRefused: It does not do; the link can be used again.
            OAuthError: The link is none of ours, or no longer valid.
            Overloaded, StoreUnavailable: Try again.
            Conflict: Others kept writing the account.
        """
        link, user = await self._open(token)

        def spending(password_hash: str) -> Write:
            async def write(changed: User, consequences: Consequences) -> bool:
                if await self.links.redeem(link.digest, self.clock.now(), changed, password_hash, consequences):
                    return True
                await self._open(token)
                return False

            return write

        setting = Setting("link", language, origin, also={"email_verified": True}, write=spending)
        try:
            return await self.passwords.set(user, password, setting)
        except Conflict:
            # Of two that use it at once, the one who comes too late.
            await self._open(token)
            raise

    async def _open(self, token: bytes | None) -> tuple[ResetLink, User]:
        link = await self.links.find(link_digest(token)) if token is not None else None
        if link is None:
            raise link_gone(Rule.ACCOUNT_LINK_UNKNOWN, "never sent, or forgotten since")
        check_link(link, self.clock.now())
        user = await self.accounts.find(link.subject)
        if user is None or user.disabled_at is not None:
            raise link_gone(Rule.USER_DISABLED, link.subject)
        return link, user
