"""When which key changes its place: worked out from the keys, the policy and the time, and from nothing else.

A key signs for ``rotate_every`` from the instant it began to; its successor is published ``publish_before_use`` before
that is over. Where a successor was taken back (`keys rollback`, `keys retire`), the key that goes on signing begins
anew at that instant.

That goes for every algorithm that has a key to sign with, not only for the one of access tokens: each client chooses
what its ID tokens are signed with, and may choose otherwise at any moment, so no key that could sign may grow old.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Self

from authcenter.jose.algorithms import Alg
from authcenter.keys.ring import RETIREMENT, KeyRing, KeyState, SigningKey, superseded_at
from authcenter.settings.policy import Policy

PRIVATE_HALF_KEPT = timedelta(minutes=5)
"""How long the private half of a dropped key is kept."""


@dataclass(frozen=True, slots=True)
class RotationRules:
    """What the policy says of rotation.

    Attributes:
        every: How long a key signs; None: until somebody rotates it by hand.
        published_for: How long a key is published before it signs.
        needed: The algorithms that must have a key, whether or not there has been one.
    """

    every: timedelta | None
    published_for: timedelta
    needed: frozenset[Alg]

    def in_use(self, ring: KeyRing) -> list[Alg]:
        """The algorithms whose keys are replaced."""
        return sorted(self.needed.union(alg for alg in Alg if _last_in_line(ring, alg) is not None))

    @classmethod
    def of(cls, policy: Policy) -> Self:
        every = timedelta(seconds=policy.keys.rotate_every) if policy.keys.rotate_every else None
        return cls(
            every, timedelta(seconds=policy.keys.publish_before_use), frozenset({Alg(policy.tokens.signing_alg)})
        )


@dataclass(frozen=True, slots=True)
class Succession:
    """A key that has to be made.

    Attributes:
        predecessor: The kid that is last in line now; None: there is none.
        due_at: When it is to be published.
        signs_from: When it takes over.
    """

    alg: Alg
    predecessor: str | None
    due_at: datetime
    signs_from: datetime


class Act(StrEnum):
    """What happens to a key."""

    PUBLISH = "publish"
    SIGN = "sign"
    RETIRE = "retire"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Planned:
    """One act of the plan. ``kid``: None for a key that is yet to be made."""

    at: datetime
    alg: Alg
    act: Act
    kid: str | None


def next_successions(ring: KeyRing, rules: RotationRules, now: datetime) -> list[Succession]:
    """The next key of each algorithm in use; it is due where its ``due_at`` has come."""
    if rules.every is None:
        return []
    found = []
    for alg in rules.in_use(ring):
        last = _last_in_line(ring, alg)
        if last is None:
            found.append(Succession(alg, None, now, now))
            continue
        due_at = _began(ring, last) + rules.every - rules.published_for
        # Never shorter published because it is late: who verifies has the key set for as long as it says.
        found.append(Succession(alg, last.kid, due_at, max(due_at, now) + rules.published_for))
    return found


def spent_keys(ring: KeyRing, with_private_half: Iterable[str], now: datetime) -> list[tuple[str, datetime]]:
    """Keys of ``with_private_half`` that are dropped, and were a while ago. With when each ceased to sign.

    Not at once: a rollback that was decided just before, or by a clock a little behind, must find its key whole.
    """
    dropped = [ring.keys[kid] for kid in with_private_half if ring.states.get(kid) is KeyState.DROPPED]
    ended = [(key.kid, ended_at) for key in dropped if (ended_at := superseded_at(key, ring.keys.values(), now))]
    return [(kid, ended_at) for kid, ended_at in ended if ended_at + RETIREMENT + PRIVATE_HALF_KEPT <= now]


def plan(
    ring: KeyRing, rules: RotationRules, now: datetime, *, paused: bool, resumes_at: datetime | None
) -> list[Planned]:
    """All that is going to happen, up to the end of the next key's predecessor, in order.

    Args:
        paused: Whether rotation stands still, until ``resumes_at`` where that is set.
    """
    acts = [act for alg in Alg for act in _of_standing_keys(ring, alg, now)]
    if not paused or resumes_at is not None:
        begins = max(now, resumes_at) if resumes_at is not None else now
        for succession in next_successions(ring, rules, begins):
            acts += _of_succession(succession, begins)
    return sorted(acts, key=lambda planned: (planned.at, planned.alg, list(Act).index(planned.act)))


def _of_succession(succession: Succession, begins: datetime) -> Iterator[Planned]:
    yield Planned(max(succession.due_at, begins), succession.alg, Act.PUBLISH, None)
    yield Planned(succession.signs_from, succession.alg, Act.SIGN, None)
    if succession.predecessor is not None:
        yield Planned(succession.signs_from, succession.alg, Act.RETIRE, succession.predecessor)
        yield Planned(succession.signs_from + RETIREMENT, succession.alg, Act.DROP, succession.predecessor)


def _of_standing_keys(ring: KeyRing, alg: Alg, now: datetime) -> Iterator[Planned]:
    keys = _of_alg(ring, alg)
    for key in keys:
        if ring.states[key.kid] is KeyState.NEXT:
            yield Planned(key.signs_from, alg, Act.SIGN, key.kid)
        if ring.states[key.kid] is KeyState.RETIRED and (ended := superseded_at(key, keys, now)):
            yield Planned(ended + RETIREMENT, alg, Act.DROP, key.kid)
    line = sorted((key for key in keys if _may_sign(ring, key)), key=lambda key: key.place)
    for key, successor in pairwise(line):
        yield Planned(successor.signs_from, alg, Act.RETIRE, key.kid)
        yield Planned(successor.signs_from + RETIREMENT, alg, Act.DROP, key.kid)


def _last_in_line(ring: KeyRing, alg: Alg) -> SigningKey | None:
    return max((key for key in _of_alg(ring, alg) if _may_sign(ring, key)), key=lambda key: key.place, default=None)


def _began(ring: KeyRing, last: SigningKey) -> datetime:
    taken_back = [key.retired_at for key in _of_alg(ring, last.alg) if key.place > last.place and key.retired_at]
    return max(last.signs_from, *taken_back) if taken_back else last.signs_from


def _may_sign(ring: KeyRing, key: SigningKey) -> bool:
    return ring.states[key.kid] in (KeyState.CURRENT, KeyState.NEXT)


def _of_alg(ring: KeyRing, alg: Alg) -> Sequence[SigningKey]:
    return [key for key in ring.keys.values() if key.alg is alg]
