"""Browsers that somebody signed in with before: whoever guesses passwords elsewhere does not lock them out.

A browser keeps a sealed note of whom it signed in (OWASP's "device cookie"). With it, failures count for this browser
alone, so that a stranger who has used up an account's tries, or an address's, has not used up its owner's. The note
opens nothing: it is worth as many more guesses as an account has, at the one account it names.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from authcenter.core import base64url
from authcenter.core.clock import Clock
from authcenter.core.derived import SealingKeys
from authcenter.core.user import User, name_key
from authcenter.core.value import Value

LIFETIME = timedelta(days=365)
_MOST_ACCOUNTS = 5
_MAX_CHARACTERS = 2048
_LONGEST_LOGIN = 1024
_BOUND_TO = b"known browser"


class _Known(Value, frozen=True):
    """One account that the browser signed in to.

    Attributes:
        device: Random; what failures are counted by. A new one at each sign-in: that begins with none.
        names: Digests of what the person may type as their name.
        until: Unix seconds.
    """

    device: str
    names: tuple[bytes, ...]
    until: float


@dataclass(frozen=True, slots=True)
class KnownBrowsers:
    """Seals and reads the notes."""

    keys: SealingKeys
    clock: Clock

    def device(self, note: str | None, login: str) -> str | None:
        """What to count failures by in the browser that keeps ``note``; None: it did not sign in as ``login``."""
        name = _digest(login[:_LONGEST_LOGIN])
        return next((known.device for known in self._read(note) if name in known.names), None)

    def remember(self, note: str | None, user: User) -> str:
        """The note of a browser that has just signed ``user`` in, whose note until now was ``note``."""
        names = (_digest(user.username), _digest(user.email))
        until = self.clock.seconds() + LIFETIME.total_seconds()
        # By either name: whoever has changed one of them since is the same person.
        others = [known for known in self._read(note) if not set(known.names) & set(names)]
        kept = [_Known(secrets.token_urlsafe(16), names, until), *others][:_MOST_ACCOUNTS]
        return base64url.encode(self.keys.seal(msgspec.msgpack.encode(kept), _BOUND_TO))

    def _read(self, note: str | None) -> list[_Known]:
        """Anything that is not one of ours says nothing."""
        if not note or len(note) > _MAX_CHARACTERS:
            return []
        try:
            opened = self.keys.open(base64url.decode(note), _BOUND_TO)
            held = msgspec.msgpack.decode(opened, type=list[_Known]) if opened is not None else []
        except (ValueError, msgspec.MsgspecError):
            return []
        return [known for known in held if known.until > self.clock.seconds()]


def _digest(name: str) -> bytes:
    return hashlib.sha256(name_key(name).encode(errors="backslashreplace")).digest()[:16]
