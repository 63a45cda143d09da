"""An unfinished sign-in, sealed: it lives in forms and URLs, so that strangers cannot fill a store with theirs.

A ticket is bound to the browser it was made for by the browser's cookie, and lapses.
"""

import zlib
from datetime import UTC, datetime
from typing import Literal

import msgspec

from authcenter.core import base64url
from authcenter.core.authorization import AuthorizationRequest
from authcenter.core.checks import failed
from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.logout import LogoutRequest
from authcenter.core.rules import Rule
from authcenter.core.value import Value

LIFETIME_SECONDS = 3600
_MAX_CHARACTERS = 16 * 1024
_MAX_BYTES = 64 * 1024

Destination = Literal["authorize", "account", "device", "logout"]


class Proved(Value, frozen=True):
    """A proof of who somebody is, where more is due: a second one, or room for their session.

    Attributes:
        amr: The methods of RFC 8176 it was made by.
        at: Unix seconds.
        acr: What it amounts to, where no further factor is due: only a new password, or room for a session.
        proof_id: Random: it makes room for one session.
    """

    subject: str
    amr: tuple[str, ...]
    at: float
    acr: str = ""
    proof_id: str = ""


class Ticket(Value, frozen=True):
    """Where a sign-in is to lead, and what has been answered on the way.

    Attributes:
        destination: What goes on once the person is signed in: the authorization request, or one of our own pages.
        expires_at: Unix seconds.
        request: The authorization request, where there is one.
        user_code: What the device page was asked with (RFC 8628 §3.3.1).
        login_after: A sign-in counts only when it was made at or after this (Unix seconds): ``prompt=login``,
            ``max_age``.
        account_chosen: Whether ``prompt=select_account`` has been answered.
        consent: What was answered on the consent page in this sign-in; None: nothing yet.
        answered_by: Who answered it: the subject.
        logout: The request to sign out, where there is one.
        page: The path of ours under ``/account`` that it leads to, where ``/account`` itself is not meant.
        proved: What has been proved in this sign-in, where it takes more.
        links: Whose account an identity elsewhere is to be linked to: the subject.
    """

    destination: Destination
    expires_at: float
    request: AuthorizationRequest | None = None
    user_code: str | None = None
    login_after: float | None = None
    account_chosen: bool = False
    consent: Literal["granted", "denied"] | None = None
    answered_by: str | None = None
    logout: LogoutRequest | None = None
    page: str | None = None
    proved: Proved | None = None
    links: str | None = None


class Tickets:
    """Seals and opens tickets."""

    def __init__(self, keys: SealingKeys, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._reader, self._writer = msgspec.msgpack.Decoder(Ticket), msgspec.msgpack.Encoder()

    def lapse(self) -> float:
        """When a ticket that is made now expires, in Unix seconds."""
        return self._clock.seconds() + LIFETIME_SECONDS

    def seal(self, ticket: Ticket, browser: str) -> str:
        """``ticket`` as text for a URL or a form, of use only to the browser with that cookie."""
        written = zlib.compress(self._writer.encode(ticket))
        return base64url.encode(self._keys.seal(written, browser.encode()))

    def open(self, sealed: str, browser: str) -> Ticket:
        """What was sealed.

        Raises:
            OAuthError: Not sealed here, altered, of another browser, or lapsed; to be told on a page.
        """
        ticket = self._read(sealed, browser)
        if ticket is None:
            failed("ticket", opens=False, cookie_sent=bool(browser))
            raise _not_valid(Rule.TICKET_INVALID, "not sealed by this server for this browser")
        if ticket.expires_at <= self._clock.seconds():
            late = int(self._clock.seconds() - ticket.expires_at)
            expired_at = str(datetime.fromtimestamp(ticket.expires_at, UTC))
            failed("ticket", late_seconds=late, expired_at=expired_at, clock=str(self._clock.now()))
            raise _not_valid(Rule.TICKET_EXPIRED, f"lapsed {late} s ago")
        return ticket

    def _read(self, sealed: str, browser: str) -> Ticket | None:
        if len(sealed) > _MAX_CHARACTERS or not browser:
            return None
        try:
            written = self._keys.open(base64url.decode(sealed), browser.encode())
            if written is None:
                return None
            return self._reader.decode(zlib.decompressobj().decompress(written, _MAX_BYTES))
        except (ValueError, zlib.error, msgspec.MsgspecError):
            return None


def _not_valid(rule: Rule, hint: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_REQUEST, "This sign-in is no longer valid. Start again.", rule=rule, hint=hint)
