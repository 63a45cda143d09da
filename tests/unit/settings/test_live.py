"""The policy in force: good documents replace it, bad ones change nothing."""

from collections.abc import AsyncIterator

import pytest

from authcenter.settings.live import LivePolicy, Offer, Outcome, watch
from authcenter.settings.policy import Policy
from authcenter.settings.source import PolicySource

SHORT = "tokens: {access_ttl: 60}"


class Script(PolicySource):
    """A source that tells what it is given, then ends."""

    name = "script"

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def read(self) -> str | None:
        return self._texts[0] if self._texts else None

    async def changes(self) -> AsyncIterator[str]:
        for text in self._texts:
            yield text


def test_a_good_document_replaces_the_policy_and_spares_those_who_hold_the_old_one() -> None:
    live = LivePolicy(Policy())
    held = live.current
    assert live.offer(SHORT, "file") == Offer(Outcome.ACCEPTED)
    assert (live.current.tokens.access_ttl, live.generation) == (60, 2)
    assert held.tokens.access_ttl == 900


def test_the_same_policy_in_other_words_changes_nothing() -> None:
    live = LivePolicy(Policy())
    assert live.offer("tokens: {access_ttl: 900}", "file") == Offer(Outcome.UNCHANGED)
    assert live.generation == 1


@pytest.mark.parametrize(
    ("text", "source"), [("tokens: {access_ttl: 1}", "file"), ("tokens: {", "file"), ("", "consul")]
)
def test_a_bad_document_keeps_the_last_good_policy(text: str, source: str) -> None:
    live = LivePolicy(Policy())
    live.offer(SHORT, "file")
    good = live.current
    offer = live.offer(text, source)
    assert offer.outcome is Outcome.REJECTED
    assert offer.problems
    assert live.current is good
    assert live.generation == 2


def test_listeners_hear_every_outcome_with_the_policy_then_in_force() -> None:
    heard: list[tuple[Outcome, str, int, int]] = []

    def listen(outcome: Outcome, source: str, problems: tuple[str, ...], policy: Policy) -> None:
        heard.append((outcome, source, len(problems), policy.tokens.access_ttl))

    live = LivePolicy(Policy(), [listen])
    live.subscribe(listen)
    for text in (SHORT, SHORT, "brnd: {}"):
        live.offer(text, "file")
    expected = [
        (Outcome.ACCEPTED, "file", 0, 60),
        (Outcome.UNCHANGED, "file", 0, 60),
        (Outcome.REJECTED, "file", 1, 60),
    ]
    assert heard == [each for each in expected for _ in range(2)]


async def test_watching_offers_each_change_and_survives_bad_ones() -> None:
    live = LivePolicy(Policy())
    await watch(live, Script(SHORT, "tokens: {", "tokens: {access_ttl: 61}"))
    assert (live.current.tokens.access_ttl, live.generation) == (61, 3)
