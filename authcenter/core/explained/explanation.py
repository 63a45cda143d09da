"""What an explanation is made of."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """The likely cause of a refusal, and the remedy."""

    cause: str
    remedy: str
