"""The named checks that a request goes through, kept for ``authcenter explain``.

Whoever checks says so here: what passed, what did not, and what was expected and came. Nothing that is said here ever
reaches the one who asked. Facts name no secret: of a random value its ``mark`` is kept, of one that can be guessed
(a password, a user code, a one-time password) only that it differs.
"""

import hmac
from contextvars import ContextVar
from typing import TypeAlias

Fact: TypeAlias = str | int | bool | None
Check: TypeAlias = tuple[str, bool, dict[str, Fact]]
"""Its name, whether it passed, and what there is to say of it."""

Checks: TypeAlias = list[Check]

MOST_CHECKS = 40
_MOST_CHARACTERS = 300
_MARK_HEX = 6


class Trace:
    """The checks of one request so far."""

    __slots__ = ("checks", "key", "recorded")

    def __init__(self, key: bytes) -> None:
        """``key``: of the marks; one for all processes."""
        self.checks: Checks = []
        self.key, self.recorded = key, False


_TRACE: ContextVar[Trace | None] = ContextVar("trace", default=None)


def begin_trace(key: bytes) -> Trace:
    """Of the request that this task answers from here on."""
    trace = Trace(key)
    _TRACE.set(trace)
    return trace


def current_trace() -> Trace | None:
    """Of the request that this task answers; None: outside of one."""
    return _TRACE.get()


def passed(name: str, /, **facts: Fact) -> None:
    """Say that a check passed."""
    _note(name, True, facts)


def failed(name: str, /, **facts: Fact) -> None:
    """Say that a check did not pass; the refusal that follows names the rule."""
    _note(name, False, facts)


def mark(value: str) -> str:
    """By which two values can be told to be the same or not: 6 hexadecimal digits of a keyed digest."""
    trace = _TRACE.get()
    return hmac.digest(trace.key, value.encode(errors="surrogatepass"), "sha256").hex()[:_MARK_HEX] if trace else "?"


def checks_so_far() -> Checks:
    """Of the request that is being answered. Whoever asks keeps them: they are recorded nowhere else."""
    trace = _TRACE.get()
    if trace is None:
        return []
    trace.recorded = True
    return trace.checks


def _note(name: str, held: bool, facts: dict[str, Fact]) -> None:
    trace = _TRACE.get()
    if trace is None or len(trace.checks) >= MOST_CHECKS:
        return
    for fact, value in facts.items():
        if type(value) is str and len(value) > _MOST_CHARACTERS:
            facts[fact] = value[:_MOST_CHARACTERS] + "…"
    trace.checks.append((name, held, facts))
