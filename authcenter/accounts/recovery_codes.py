"""Recovery codes: what opens an account whose second factor is lost. 50 random bits each, used once, kept as MACs."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from authcenter.core.derived import MacKeys

HOW_MANY = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32: what looks alike counts alike."""
_ALIKE = str.maketrans("oil", "011")
_LENGTH = 10
_CODE = re.compile(f"[{_ALPHABET}]{{{_LENGTH}}}")
_BETWEEN = re.compile(r"[\s-]+")
_LONGEST = 64


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Draws codes, and finds which MAC a typed one belongs to."""

    macs: MacKeys

    def draw(self, subject: str) -> tuple[list[str], list[str]]:
        """New codes as they are shown, and the MACs that are kept of them."""
        codes = ["".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH)) for _ in range(HOW_MANY)]
        return [f"{code[:5]}-{code[5:]}" for code in codes], [self.macs.make(_data(subject, code)) for code in codes]

    def find(self, subject: str, typed: str, kept: Sequence[str]) -> str | None:
        """Which of ``kept`` is the MAC of what was typed. Each is compared, in constant time."""
        code = _BETWEEN.sub("", typed[:_LONGEST]).lower().translate(_ALIKE)
        if not _CODE.fullmatch(code):
            return None
        found = [mac for mac in kept if self.macs.verify(_data(subject, code), mac)]
        return found[0] if found else None


def _data(subject: str, code: str) -> bytes:
    return f"{subject} {code}".encode()
