"""The two codes of a device authorization: one for the device, one for a person to type (RFC 8628 §3.2, §6.1)."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from authcenter.core.derived import hkdf
from authcenter.core.digest import Digest

PREFIX = "adc_"
ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants only: no word can come about, and nothing is mistaken for a digit (RFC 8628 §6.1)."""
USER_CODE_CHARACTERS = 8
"""20 to the power of 8: 34.6 bits. Who guesses meets the limit of the page at which codes are entered."""
_BYTES = 32
_FORM = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}")
_USER_CODE = re.compile(rf"[{ALPHABET}]{{{USER_CODE_CHARACTERS}}}")
_LONGEST_TYPED = 64
_BETWEEN = re.compile(r"[\s\-\u2010-\u2015_.]+")


def draw_device_code() -> tuple[str, Digest]:
    """A new device code of 256 random bits, and the digest it is stored by."""
    code = PREFIX + secrets.token_urlsafe(_BYTES)
    return code, _digest(code)


def device_code_digest(code: str) -> Digest | None:
    """The digest of something shaped like a device code of ours."""
    return _digest(code) if _FORM.fullmatch(code) else None


def draw_user_code() -> str:
    """A new user code, as it is shown: ``XXXX-XXXX``."""
    return shown("".join(secrets.choice(ALPHABET) for _ in range(USER_CODE_CHARACTERS)))


def read_user_code(typed: str) -> str | None:
    """What a person typed, as it was shown; None: no user code.

    Upper or lower case, with dashes and spaces anywhere or nowhere.
    """
    letters = _BETWEEN.sub("", typed[:_LONGEST_TYPED]).upper()
    return shown(letters) if _USER_CODE.fullmatch(letters) else None


def shown(letters: str) -> str:
    half = USER_CODE_CHARACTERS // 2
    return f"{letters[:half]}-{letters[half:]}"


@dataclass(frozen=True, slots=True)
class UserCodeDigests:
    """What user codes are stored by. Keyed: so short a code could be found from a plain hash within seconds.

    Attributes:
        keys: One of each live root secret; the first makes.
    """

    keys: tuple[bytes, ...]

    @classmethod
    def derive(cls, roots: Sequence[bytes]) -> Self:
        return cls(tuple(hkdf(root, "user code") for root in roots))

    def make(self, user_code: str) -> Digest:
        return self.all(user_code)[0]

    def all(self, user_code: str) -> tuple[Digest, ...]:
        """As each root makes it: one of them stands in the record."""
        return tuple(Digest(hmac.digest(key, user_code.encode(), "sha256")) for key in self.keys)


def _digest(code: str) -> Digest:
    return Digest(hashlib.sha256(code.encode()).digest())
