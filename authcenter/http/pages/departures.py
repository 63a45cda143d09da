"""Leaving for an identity provider, and coming back.

All of an unfinished departure is in ``state``, sealed for this browser: its secrets, and where the sign-in was to lead.
It is believed once.
"""

import secrets
import zlib
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from authcenter.authorization.ticket import Ticket
from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.federation.provider import Attempt
from authcenter.stores.ports.shared import ReplayCache

LIFETIME_SECONDS = 1_800
LONGEST_STATE = 4_000
"""In characters. Servers read about 8,000 of a URL, and providers carry theirs on with more around it."""

_MAX_BYTES = 64 * 1024
_RANDOM_BYTES = 32


class Departure(Value, frozen=True):
    """What is on its way.

    Attributes:
        provider: Whose answer it waits for.
        departed_at: Unix seconds.
    """

    provider: str
    nonce: str
    verifier: str
    departed_at: float
    ticket: Ticket

    def __repr__(self) -> str:
        return "Departure(…)"


@dataclass(frozen=True, slots=True)
class Departures:
    """Seals and opens them.

    Attributes:
        issuer: Ours, with which redirect URIs begin.
        replay: Remembers who has come back.
    """

    keys: SealingKeys
    replay: ReplayCache
    clock: Clock
    issuer: str

    def begin(self, provider: str, ticket: Ticket, browser: str) -> Attempt:
        """A new attempt at ``provider`` that comes back to ``ticket``.

        Raises:
            OAuthError: The ticket is larger than what can go through a provider.
        """
        departure = Departure(
            provider,
            secrets.token_urlsafe(_RANDOM_BYTES),
            secrets.token_urlsafe(_RANDOM_BYTES),
            self.clock.seconds(),
            ticket,
        )
        written = zlib.compress(msgspec.msgpack.encode(departure), wbits=-zlib.MAX_WBITS)
        state = base64url.encode(self.keys.seal(written, browser.encode()))
        if len(state) > LONGEST_STATE:
            hint = f"{len(state)} characters of state"
            raise OAuthError(ErrorCode.INVALID_REQUEST, _TOO_LARGE, rule=Rule.REQUEST_TOO_LARGE, hint=hint)
        return self._attempt(departure, state)

    async def end(self, provider: str, state: str | None, browser: str) -> tuple[Attempt, Ticket]:
        """What came back to the callback of ``provider``.

        Raises:
            OAuthError: Not sealed here for this browser, of another provider, too old, or back before.
            Unavailable: Cannot tell.
        """
        departure = self._read(state or "", browser)
        if departure is None:
            raise _not_valid(Rule.PROVIDER_STATE, "not sealed by this server for this browser")
        if departure.provider != provider:
            raise _not_valid(Rule.PROVIDER_MIX_UP, f"left for {departure.provider}, back from {provider!a:.80}")
        if departure.departed_at + LIFETIME_SECONDS <= self.clock.seconds():
            raise _not_valid(Rule.PROVIDER_STATE, "away for too long")
        if not await self.replay.first_use("federation", departure.nonce, timedelta(seconds=LIFETIME_SECONDS)):
            raise _not_valid(Rule.PROVIDER_STATE, "back before")
        return self._attempt(departure, state or ""), departure.ticket

    def _attempt(self, departure: Departure, state: str) -> Attempt:
        request = departure.ticket.request
        return Attempt(
            state=state,
            nonce=departure.nonce,
            verifier=departure.verifier,
            redirect_uri=f"{self.issuer}/federation/{departure.provider}/callback",
            began_at=departure.departed_at,
            login_hint=(request.login_hint or "") if request is not None else "",
            afresh=departure.ticket.login_after is not None,
        )

    def _read(self, state: str, browser: str) -> Departure | None:
        if len(state) > LONGEST_STATE or not browser:
            return None
        try:
            written = self.keys.open(base64url.decode(state), browser.encode())
            if written is None:
                return None
            read = zlib.decompressobj(wbits=-zlib.MAX_WBITS).decompress(written, _MAX_BYTES)
            return msgspec.msgpack.decode(read, type=Departure)
        except (ValueError, zlib.error, msgspec.MsgspecError):
            return None


def _not_valid(rule: Rule, hint: str) -> OAuthError:
    return OAuthError(ErrorCode.INVALID_REQUEST, "This sign-in is no longer valid. Start again.", rule=rule, hint=hint)


_TOO_LARGE = "The request is too large."
