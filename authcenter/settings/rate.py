"""A rate as operators write it: ``6000/minute``."""

import re
from dataclasses import dataclass
from typing import Self

_PERIODS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_WRITTEN = re.compile(rf"([1-9][0-9]{{0,8}})/({'|'.join(_PERIODS)})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rate:
    """``limit`` events in ``per_seconds`` seconds."""

    limit: int
    per_seconds: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``<limit>/<second|minute|hour|day>``.

        Raises:
            ValueError: Anything else; the limit is 1 to 999999999.
        """
        written = _WRITTEN.fullmatch(text)
        if written is None:
            raise ValueError(f"must be a rate such as 60/minute (per {', '.join(_PERIODS)})")
        return cls(int(written[1]), _PERIODS[written[2]])

    def __str__(self) -> str:
        return f"{self.limit}/{next(name for name, seconds in _PERIODS.items() if seconds == self.per_seconds)}"
