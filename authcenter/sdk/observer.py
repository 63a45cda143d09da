"""What the SDK tells whoever watches it: refusals by reason, and how its keys are kept. Never a token or a claim."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from authcenter.core.errors import Reason


class FetchOutcome(StrEnum):
    """How asking the authorization server for its keys ended."""

    FETCHED = "fetched"
    UNCHANGED = "unchanged"
    FAILED = "failed"


class Observer(Protocol):
    """Is called in the path of a request: each method must be quick and must not raise."""

    def access_token_refused(self, reason: Reason) -> None:
        """A token did not hold."""
        ...

    def key_looked_up(self, *, found: bool) -> None:
        """The key of a token seen for the first time was, or was not, among those at hand."""
        ...

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        """The authorization server was asked for its keys, and it took so long."""
        ...


class Unobserved(Observer):
    """Nobody watches."""

    def access_token_refused(self, reason: Reason) -> None:
        """Nobody is told."""

    def key_looked_up(self, *, found: bool) -> None:
        """Nobody is told."""

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        """Nobody is told."""


class Observers(Observer):
    """Several at once, such as metrics and traces."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def access_token_refused(self, reason: Reason) -> None:
        for observer in self._observers:
            observer.access_token_refused(reason)

    def key_looked_up(self, *, found: bool) -> None:
        for observer in self._observers:
            observer.key_looked_up(found=found)

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        for observer in self._observers:
            observer.keys_fetched(outcome, seconds)
