"""What a page tells of a password somebody typed: how strong it is, and why it does not do. No script is needed."""

from dataclasses import dataclass, replace
from typing import Self

from authcenter.accounts.password_rules import PasswordReason, PasswordRefused, PasswordRules
from authcenter.accounts.password_strength import Strength
from authcenter.core.secret import Secret

_MOST_FOR_REFUSED = 1


@dataclass(frozen=True, slots=True)
class JudgedPassword:
    """What the template ``password_meter.html`` shows as ``judged``. The password itself never comes back.

    Attributes:
        strength: None: there is nothing to estimate.
        reason: Why it may not be set; None: it may.
    """

    strength: Strength | None = None
    reason: PasswordReason | None = None

    @classmethod
    def refused(cls, refused: PasswordRefused) -> Self:
        """Of one that the rules refused. It may be hard to guess and from a breach: the meter must not praise it."""
        strength = refused.strength
        if strength is not None:
            strength = replace(strength, score=min(strength.score, _MOST_FOR_REFUSED))
        return cls(strength, refused.reason)


async def judge(rules: PasswordRules, password: Secret, about: list[str]) -> JudgedPassword:
    """What to tell whoever only wants to know how good ``password`` is.

    Raises:
        Overloaded, StoreUnavailable: As ``PasswordRules.check``.
    """
    try:
        return JudgedPassword(await rules.check(password, about))
    except PasswordRefused as refused:
        return JudgedPassword.refused(refused)
