"""Scope values (RFC 6749 §3.3)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Self

from authcenter.core.checks import failed
from authcenter.core.errors import invalid_scope
from authcenter.core.rules import Rule

_SCOPE_TOKEN = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")

OFFLINE_ACCESS = "offline_access"
OPENID = "openid"
ADMIN = "authcenter:admin"
"""The scope of operators' requests."""
RESERVED_PREFIX = "authcenter:"
"""Scopes of the server itself: given at the command line only, never by default, by registration or by consent."""


@dataclass(frozen=True)
class Scope:
    """A set of scope values. Order carries no meaning; printing sorts."""

    values: frozenset[str] = frozenset()

    @classmethod
    def of(cls, values: Iterable[str]) -> Self:
        return cls(frozenset(values))

    @classmethod
    @lru_cache(maxsize=1_024)
    def parse(cls, text: str) -> Self:
        """Read the wire form. Callers send the same few texts again and again, so that what was read is remembered.

        Raises:
            OAuthError: ``invalid_scope``, where a value is outside the grammar.
        """
        values = frozenset(text.split(" ")) - {""}
        if not all(_SCOPE_TOKEN.fullmatch(value) for value in values):
            failed("scope", came=text)
            raise invalid_scope(Rule.SCOPE_MALFORMED, f"outside the grammar: {text!a:.80}")
        return cls(values)

    def __str__(self) -> str:
        return self._text

    def __bool__(self) -> bool:
        return bool(self.values)

    def __contains__(self, value: str) -> bool:
        return value in self.values

    @cached_property
    def _text(self) -> str:
        return " ".join(sorted(self.values))

    def within(self, granted: Self, rule: Rule) -> Self:
        """Itself, where all of it lies in ``granted``.

        Raises:
            OAuthError: ``invalid_scope`` by ``rule``, naming what is too much in the hint.
        """
        if not self.values <= granted.values:
            extra = self.values - granted.values
            too_much = " ".join(sorted(extra))
            failed("scope", came=str(self), allowed=str(granted), too_much=too_much)
            raise invalid_scope(rule, f"not granted: {too_much}")
        return self

    @cached_property
    def unreserved(self) -> Self:
        """Itself without the server's own scopes, which have to be asked for by name."""
        return type(self)(frozenset(value for value in self.values if not value.startswith(RESERVED_PREFIX)))


def is_scope_token(value: str) -> bool:
    return _SCOPE_TOKEN.fullmatch(value) is not None
