"""The members of a JSON document, asked for by name and type."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from authcenter.core.errors import InvalidInput

_MOST_OF_ONE = 200
_LONGEST_TEXT = 10_000


@dataclass(frozen=True, slots=True)
class Members:
    """What was sent. A member that is null counts as absent.

    Raises (each method):
        InvalidInput: Naming the member that does not hold.
    """

    given: Mapping[str, Any]

    def require_known(self, known: Collection[str]) -> None:
        """Refuse members of other names: a mistyped one would be lost silently."""
        for name in self.given:
            if name not in known:
                raise InvalidInput(f"{name!a:.80}: not known here")

    def text(self, name: str, default: str = "") -> str:
        value = self.given.get(name)
        if value is None:
            return default
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise InvalidInput(f"{name}: must be a text of at most {_LONGEST_TEXT} characters")
        return value

    def flag(self, name: str, *, default: bool = False) -> bool:
        value = self.given.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise InvalidInput(f"{name}: must be true or false")
        return value

    def texts(self, name: str, default: Collection[str] = ()) -> tuple[str, ...]:
        """In their order, each once."""
        value = self.given.get(name)
        if value is None:
            return tuple(default)
        texts = value if isinstance(value, list) and len(value) <= _MOST_OF_ONE else [None]
        if not all(isinstance(one, str) and len(one) <= _LONGEST_TEXT for one in texts):
            raise InvalidInput(f"{name}: must be a list of at most {_MOST_OF_ONE} texts")
        return tuple(dict.fromkeys(texts))

    def number(self, name: str, most: int) -> int | None:
        value = self.given.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
            raise InvalidInput(f"{name}: must be a whole number from 0 to {most}")
        return value

    def within(self, name: str) -> "Members":
        """The document that is a member; where there is none, an empty one."""
        value = self.given.get(name)
        if value is not None and not isinstance(value, dict):
            raise InvalidInput(f"{name}: must be an object")
        return Members(value or {})
