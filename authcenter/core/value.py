"""Frozen values that are made anew for every request."""

import msgspec


class Value(msgspec.Struct, frozen=True):
    """As a frozen dataclass with slots, made in an eighth of its time: a token request makes ten of them.

    Those that live longer than a request are dataclasses, which ``dataclasses.replace`` and ``asdict`` know.
    """
