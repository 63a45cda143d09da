"""Which passwords people may choose (NIST SP 800-63B §5.1.1.2): long enough, not easily guessed, not breached.

No composition rules: they make passwords worse.
"""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from authcenter.accounts.breached_passwords import BreachedPasswords
from authcenter.accounts.password_strength import Advice, Strength, StrengthEstimate
from authcenter.accounts.passwords import MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS, PasswordHashing
from authcenter.core.errors import InvalidInput
from authcenter.core.secret import Secret

# What eight random characters have by zxcvbn's count, so that the length alone is never what refuses a random one.
LEAST_GUESSES = 8.0


class PasswordReason(StrEnum):
    """Why a password does not do. The values are the names of messages."""

    SHORT = "password.short"
    LONG = "password.long"
    CHARACTERS = "password.characters"
    COMMON = "password.common"
    ABOUT_YOU = "password.about_you"
    WEAK = "password.weak"
    BREACHED = "password.breached"
    SAME = "password.same"


class PasswordRefused(InvalidInput):
    """A password that may not be set.

    Attributes:
        reason: As a message's name.
        strength: The estimate, where there could be one.
    """

    def __init__(self, reason: PasswordReason, strength: Strength | None = None) -> None:
        super().__init__(f"password: {_SENTENCES[reason]}")
        self.reason, self.strength = reason, strength


@dataclass(frozen=True, slots=True)
class PasswordRules:
    """Judges the passwords that people choose.

    Attributes:
        hashing: Whose threads the work is done in.
        service: What names this service; as guessable as the person's own name.
        breached: The operator's list, where there is one.
    """

    hashing: PasswordHashing
    service: Callable[[], Sequence[str]]
    breached: BreachedPasswords | None = None
    estimate: StrengthEstimate = field(default_factory=StrengthEstimate)

    async def check(self, password: Secret, about: Sequence[str]) -> Strength:
        """See that a person may choose ``password``.

        Args:
            about: What others may know of the person: user name, address, names.

        Returns:
            How strong it is.

        Raises:
            PasswordRefused: It may not; an ``InvalidInput`` that has the reason.
            Overloaded: The password pool is full.
            StoreUnavailable: The list of breached passwords cannot be read.
        """
        words = (*about, *self.service())
        return await self.hashing.work(lambda: self._check(password.reveal(), words))

    def _check(self, password: str, about: Sequence[str]) -> Strength:
        text = unicodedata.normalize("NFC", password) if len(password) <= MAX_PASSWORD_CHARACTERS else None
        if text is None:
            raise PasswordRefused(PasswordReason.LONG)
        if "\0" in text or not _is_unicode(text):
            raise PasswordRefused(PasswordReason.CHARACTERS)
        strength = self.estimate.of(text, about)
        if reason := self._objection(text, strength):
            raise PasswordRefused(reason, strength)
        return strength

    def _objection(self, text: str, strength: Strength) -> PasswordReason | None:
        if len(text) < MIN_PASSWORD_CHARACTERS:
            return PasswordReason.SHORT
        if strength.common:
            return PasswordReason.COMMON
        if strength.guesses < LEAST_GUESSES:
            return PasswordReason.ABOUT_YOU if Advice.ABOUT_YOU in strength.advice else PasswordReason.WEAK
        if self.breached is not None and self.breached.have(text):
            return PasswordReason.BREACHED
        return None


def _is_unicode(text: str) -> bool:
    """Whether it has no half of a character, which no encoding has."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


_SENTENCES = {
    PasswordReason.SHORT: f"under {MIN_PASSWORD_CHARACTERS} characters",
    PasswordReason.LONG: f"over {MAX_PASSWORD_CHARACTERS} characters",
    PasswordReason.CHARACTERS: "has a NUL character, or is not Unicode text",
    PasswordReason.COMMON: "one of the most common",
    PasswordReason.ABOUT_YOU: "made of the person's own name or address, or this service's name",
    PasswordReason.WEAK: "too easily guessed",
    PasswordReason.BREACHED: "known from a breach",
    PasswordReason.SAME: "the one that it is to replace",
}
