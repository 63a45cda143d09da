"""An observer that remembers."""

from dataclasses import dataclass, field

from authcenter.core.errors import Reason
from authcenter.sdk.observer import FetchOutcome, Observer


@dataclass
class Watching(Observer):
    """What it was told, in order."""

    reasons: list[Reason] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)
    outcomes: list[FetchOutcome] = field(default_factory=list)

    def access_token_refused(self, reason: Reason) -> None:
        self.reasons.append(reason)

    def key_looked_up(self, *, found: bool) -> None:
        self.found.append(found)

    def keys_fetched(self, outcome: FetchOutcome, seconds: float) -> None:
        assert seconds >= 0
        self.outcomes.append(outcome)
