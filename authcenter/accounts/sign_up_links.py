"""Sends the links that sign-ups asked for: in the background, so that no answer tells what is known of an address."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from authcenter.accounts.letters import Letters
from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.cut import Consequences
from authcenter.core.mail import Letter, MailKind
from authcenter.core.sign_up import SignUpLink, sign_up_digest
from authcenter.settings.policy_sections import AccountPolicy
from authcenter.stores.ports.accounts import UserStore
from authcenter.stores.ports.sign_ups import SignUpStore

BROUGHT_ALONG = "token"
"""What the letter of a request calls its token."""


@dataclass(frozen=True, slots=True)
class SignUpLinks:
    """Writes to whoever asked for an account.

    Attributes:
        users: The record itself.
        link: What a letter says of a token: a path with its one-time query.
    """

    store: SignUpStore
    users: UserStore
    letters: Letters
    policy: Callable[[], AccountPolicy]
    clock: Clock
    link: Callable[[bytes], str]

    async def send(self, payload: Mapping[str, Any]) -> str | None:
        """Leave the mail, with the link or saying that there is an account; where there is to be none, why.

        Done twice, it is one mail: the token's digest is kept for an address that has an account, too, whom nobody
        sends that token.

        Raises:
            StoreUnavailable: Try again.
        """
        asked = self.letters.open(payload)
        if asked is None:
            return "sealed under a key that is gone"
        token, now = base64url.decode(asked.values[BROUGHT_ALONG]), self.clock.now()
        lifetime = timedelta(seconds=self.policy().verify_ttl)
        held = await self.users.find_credentials(asked.to)
        if held is None:
            letter = Letter(MailKind.CONFIRM_ADDRESS, asked.to, asked.language, {"link": self.link(token)})
        else:
            # To the stored address: what was typed may be written otherwise, and lead elsewhere.
            values = {"link": "/login", "name": held.user.username}
            letter = Letter(MailKind.ADDRESS_HAS_ACCOUNT, held.user.email, asked.language, values)
        link = SignUpLink(sign_up_digest(token), asked.to, now, now + lifetime)
        added = await self.store.add(link, Consequences(jobs=(self.letters.job(letter),)))
        return None if added else "sent before"
