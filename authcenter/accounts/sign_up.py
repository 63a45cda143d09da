"""Signing up: first an address, which a link in a mail confirms; then a name and a password, which make the account."""

import secrets
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from authcenter.accounts.account import NewAccount, address_problem
from authcenter.accounts.letters import Letters
from authcenter.accounts.password_rules import PasswordRules
from authcenter.accounts.passwords import PasswordHashing
from authcenter.accounts.sign_up_links import BROUGHT_ALONG
from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.errors import Conflict, ErrorCode, InvalidInput, OAuthError
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import new_subject
from authcenter.core.job import JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.core.origin import RequestOrigin
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.sign_up import TOKEN_BYTES, SignUpLink, sign_up_digest
from authcenter.core.user import User
from authcenter.limits.mails import MailLimit
from authcenter.limits.sign_ups import SignUpLimit
from authcenter.settings.policy_sections import AccountPolicy
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.outbox import Outbox
from authcenter.stores.ports.sign_ups import SignUpStore

_LONGEST = 1024


@dataclass(frozen=True, slots=True)
class SignUp:
    """How strangers come to an account, by page or by JSON.

    Nobody learns here whether an address has an account but who reads its mail: who asks is answered before anybody has
    looked, and a worker finds out which letter it is to be.

    Attributes:
        users: The record itself.
    """

    store: SignUpStore
    users: UserStore
    outbox: Outbox
    letters: Letters
    rules: PasswordRules
    hashing: PasswordHashing
    policy: Callable[[], AccountPolicy]
    mails: MailLimit
    limit: SignUpLimit
    clock: Clock

    def check_on(self) -> None:
        """Whether strangers may sign up at all. Raises ``OAuthError``: there is nothing here."""
        if not self.policy().signup:
            description, hint = "There is nothing here.", "accounts.signup is off"
            raise OAuthError(ErrorCode.NOT_FOUND, description, rule=Rule.SIGN_UP_OFF, hint=hint, status=404)

    async def ask(self, address: str, language: str, ip: str) -> None:
        """Promise a link to ``address``; where it has an account, a letter that says so. Beyond the limit of an address
        nothing is promised, and nobody is told.

        Args:
            language: Of the letter.
            ip: Who asks.

        Raises:
            OAuthError: As ``check_on``; ``RateLimited``.
            InvalidInput: It is no address.
            Unavailable: Nothing was promised.
        """
        self.check_on()
        # What is compared is what is written to: of two forms of one address no other mailbox gets the letter.
        address = _normal("NFKC", address)
        if problem := address_problem(address):
            raise InvalidInput(f"email: {problem}")
        await self.limit.ask(ip)
        if not await self.mails.allowed(address, "sign_up"):
            return
        brought = {BROUGHT_ALONG: base64url.encode(secrets.token_bytes(TOKEN_BYTES))}
        job = self.letters.job(Letter(MailKind.CONFIRM_ADDRESS, address, language, brought))
        await self.outbox.add([replace(job, name=JobName.SIGN_UP_ASKED)])

    async def find(self, token: bytes) -> SignUpLink | None:
        """The link with that token, where it opens an account still.

        Raises:
            StoreUnavailable: Cannot tell.
        """
        link = await self.store.find(sign_up_digest(token))
        return link if link is not None and link.lives(self.clock.now()) else None

    async def complete(self, token: bytes, username: str, password: Secret, origin: RequestOrigin) -> User:
        """Make the account of the link with that token.

        Raises:
            OAuthError: As ``check_on``; the link opens nothing (any more); ``RateLimited``.
            InvalidInput: Name or password do not do (``PasswordRefused``); the link can be used again.
            Conflict: The name is taken; the link can be used again.
            Unavailable: Nothing was made.
        """
        self.check_on()
        link = await self.find(token)
        if link is None:
            raise _opens_nothing("unknown, spent or lapsed")
        account = NewAccount(_normal("NFC", username), link.email, frozenset())
        account.check()
        await self.limit.choose(link.digest)
        await self.rules.check(password, (account.username, link.email))
        password_hash = await self.hashing.hash(password.reveal())
        now = self.clock.now()
        user = User(new_subject(), account.username, link.email, True, frozenset(), now, now)
        context = {"roles": [], "signed_up": True}
        made = Event(EventKind.USER_CREATED, user.subject, subject=user.subject, origin=origin, context=context)
        try:
            kept = await self.store.open(link.digest, now, user, password_hash, Consequences(events=(made,)))
        except Conflict as taken:
            if await self.users.find_credentials(link.email):
                raise _opens_nothing("its address has an account by now") from taken
            raise Conflict("username: taken by another user") from taken
        if not kept:
            raise _opens_nothing("spent by another request")
        return user


def _normal(form: Literal["NFC", "NFKC"], text: str) -> str:
    """``text`` trimmed and normalised; as it is where it is too long for either a name or an address."""
    text = text.strip()
    return unicodedata.normalize(form, text) if len(text) <= _LONGEST else text


def _opens_nothing(hint: str) -> OAuthError:
    description = "This link is no longer valid."
    return OAuthError(ErrorCode.INVALID_REQUEST, description, rule=Rule.SIGN_UP_LINK, hint=hint)
