"""The challenges of WebAuthn: each for one browser and one purpose, short-lived, believed once.

All of one is in what the page carries, sealed: strangers cannot fill a store with theirs.
"""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import msgspec

from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.core.errors import invalid_grant
from authcenter.core.rules import Rule
from authcenter.core.value import Value
from authcenter.stores.ports.shared import ReplayCache

LASTS_SECONDS = 600
"""Five minutes to press the button of a page, and five for what the browser shows then."""

_CHALLENGE_BYTES = 32
_LONGEST_SEALED = 1024

Purpose = Literal["add", "prove", "sign_in"]


class Ceremony(Value, frozen=True):
    """A challenge that waits for its answer.

    Attributes:
        subject: Whose answer it waits for; empty: whoever's passkey it is.
        began_at: Unix seconds.
    """

    purpose: Purpose
    subject: str
    challenge: bytes
    began_at: float


@dataclass(frozen=True, slots=True)
class Ceremonies:
    """Begins and ends them.

    Attributes:
        replay: Remembers which have been answered.
    """

    keys: SealingKeys
    replay: ReplayCache
    clock: Clock

    def begin(self, purpose: Purpose, browser: str, subject: str = "") -> tuple[bytes, str]:
        """A new challenge; and it, sealed for the browser with that id."""
        ceremony = Ceremony(purpose, subject, secrets.token_bytes(_CHALLENGE_BYTES), self.clock.seconds())
        sealed = self.keys.seal(msgspec.msgpack.encode(ceremony), browser.encode())
        return ceremony.challenge, base64url.encode(sealed)

    async def end(self, sealed: str, purpose: Purpose, browser: str, subject: str = "") -> bytes:
        """The challenge, which from now on is believed no more.

        Raises:
            OAuthError: ``invalid_grant``: not of this browser, purpose or person, too old, or answered before.
            Unavailable: Cannot tell.
        """
        ceremony = self._read(sealed, browser)
        if ceremony is None or (ceremony.purpose, ceremony.subject) != (purpose, subject):
            raise invalid_grant(Rule.PASSKEY_CEREMONY, "not begun here, by this browser, for this")
        age = self.clock.seconds() - ceremony.began_at
        if age >= LASTS_SECONDS:
            raise invalid_grant(Rule.PASSKEY_CEREMONY, f"begun {age:.0f} s ago")
        used = base64url.encode(ceremony.challenge)
        if not await self.replay.first_use("passkey", used, timedelta(seconds=LASTS_SECONDS)):
            raise invalid_grant(Rule.PASSKEY_REPLAYED, "answered before")
        return ceremony.challenge

    def _read(self, sealed: str, browser: str) -> Ceremony | None:
        if len(sealed) > _LONGEST_SEALED or not browser:
            return None
        try:
            written = self.keys.open(base64url.decode(sealed), browser.encode())
            return msgspec.msgpack.decode(written, type=Ceremony) if written is not None else None
        except (ValueError, msgspec.MsgspecError):
            return None
