"""The policy in force: validate, swap, keep the last good one."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from authcenter.settings.errors import PolicyError
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.source import PolicySource


class Outcome(StrEnum):
    """What became of a document; the label of ``config_reload_total{source,outcome}``."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Offer:
    """The outcome of one document, and what was wrong with it."""

    outcome: Outcome
    problems: tuple[str, ...] = ()


# outcome, source, problems, the policy in force afterwards
Listener = Callable[[Outcome, str, tuple[str, ...], Policy], None]


class LivePolicy:
    """Holds the policy in force.

    A request reads ``current`` once and keeps what it got: a swap never changes a policy that somebody holds.
    Offers come from one thread, the event loop's.
    """

    __slots__ = ("_listeners", "current", "generation")

    current: Policy
    generation: int

    def __init__(self, initial: Policy, listeners: Iterable[Listener] = ()) -> None:
        self.current = initial
        self.generation = 1
        self._listeners = list(listeners)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` after every offer, whatever its outcome. A listener must not raise."""
        self._listeners.append(listener)

    def offer(self, text: str, source: str) -> Offer:
        """Put a document in force if it validates and differs; otherwise nothing changes.

        ``generation`` grows with each accepted document.
        """
        offer = self._decide(text, source)
        for listener in tuple(self._listeners):
            listener(offer.outcome, source, offer.problems, self.current)
        return offer

    def _decide(self, text: str, source: str) -> Offer:
        try:
            policy = parse_policy(text, source=source)
        except PolicyError as error:
            return Offer(Outcome.REJECTED, error.problems)
        if policy.version == self.current.version:
            return Offer(Outcome.UNCHANGED)
        self.current, self.generation = policy, self.generation + 1
        return Offer(Outcome.ACCEPTED)


async def watch(live: LivePolicy, source: PolicySource, keep: Callable[[str], None] = lambda _: None) -> None:
    """Offer every change of the source, for ever; cancel the task to end it.

    Args:
        keep: Told, in a thread, of each document that is or was put in force. Must not raise.
    """
    async for text in source.changes():
        if live.offer(text, source.name).outcome is not Outcome.REJECTED:
            await asyncio.to_thread(keep, text)
