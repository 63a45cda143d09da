"""What is due when: from keys, policy and time alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import read_public_jwk
from authcenter.keys.ring import RETIREMENT, KeyRing, SigningKey
from authcenter.keys.schedule import (
    PRIVATE_HALF_KEPT,
    Act,
    RotationRules,
    Succession,
    next_successions,
    plan,
    spent_keys,
)
from authcenter.settings.policy import Policy, parse_policy
from tests.workbench import START, private_key, stored_key

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
RULES = RotationRules(every=90 * DAY, published_for=HOUR, needed=frozenset({Alg.ES256}))


def key(number: int, signs_from: datetime, alg: Alg = Alg.ES256, **changes: Any) -> SigningKey:
    row = stored_key(alg, number)
    opened = SigningKey(
        kid=row.kid,
        alg=alg,
        public=read_public_jwk(dict(row.public_jwk)),
        public_jwk=row.public_jwk,
        private=private_key(alg, number),
        created_at=signs_from - HOUR,
        signs_from=signs_from,
        retired_at=None,
        revoked_at=None,
    )
    return replace(opened, **changes)


FIRST = key(0, START)
DUE = [
    pytest.param([FIRST], START, START + 90 * DAY - HOUR, START + 90 * DAY, id="a young key"),
    pytest.param([FIRST], START + 90 * DAY - HOUR, START + 90 * DAY - HOUR, START + 90 * DAY, id="just due"),
    pytest.param([FIRST], START + 300 * DAY, START + 90 * DAY - HOUR, START + 300 * DAY + HOUR, id="long overdue"),
    pytest.param(
        [FIRST, key(1, START + 2 * DAY)], START + DAY, START + 92 * DAY - HOUR, START + 92 * DAY, id="one is on its way"
    ),
    pytest.param(
        [FIRST, key(1, START + DAY, revoked_at=START + 2 * DAY)],
        START + 3 * DAY,
        START + 90 * DAY - HOUR,
        START + 90 * DAY,
        id="a revoked key counts for nothing",
    ),
    pytest.param(
        [FIRST, key(1, START + DAY, retired_at=START + 3 * DAY)],
        START + 4 * DAY,
        START + 93 * DAY - HOUR,
        START + 93 * DAY,
        id="a successor was taken back after it had signed",
    ),
    pytest.param(
        [FIRST, key(1, START + 90 * DAY, retired_at=START + 89 * DAY)],
        START + 90 * DAY,
        START + 179 * DAY - HOUR,
        START + 179 * DAY,
        id="a successor was taken back before it signed",
    ),
]


@pytest.mark.parametrize(("keys", "now", "due_at", "signs_from"), DUE)
def test_a_successor_is_due_so_that_it_takes_over_on_time(
    keys: list[SigningKey], now: datetime, due_at: datetime, signs_from: datetime
) -> None:
    (found,) = next_successions(KeyRing.of(keys, now), RULES, now)
    assert (found.due_at, found.signs_from) == (due_at, signs_from)


def test_an_algorithm_in_use_without_a_key_gets_one_at_once() -> None:
    ring = KeyRing.of([key(0, START, Alg.EDDSA)], START)
    made, other = next_successions(ring, RULES, START)
    assert made == Succession(Alg.ES256, None, START, START)
    assert (other.alg, other.due_at) == (Alg.EDDSA, START + 90 * DAY - HOUR)


def test_nothing_is_due_by_hand() -> None:
    assert next_successions(KeyRing.of([FIRST], START), replace(RULES, every=None), START + 900 * DAY) == []


def test_each_algorithm_with_a_key_has_its_own_time() -> None:
    younger, gone = key(0, START + 5 * DAY, Alg.RS256), key(0, START, Alg.EDDSA, revoked_at=START)
    found = next_successions(KeyRing.of([FIRST, younger, gone], START + 6 * DAY), RULES, START + 6 * DAY)
    assert [(one.alg, one.signs_from - START) for one in found] == [(Alg.ES256, 90 * DAY), (Alg.RS256, 95 * DAY)]


def test_the_rules_are_the_policys() -> None:
    policy = parse_policy(
        "keys: {rotate_every: 86400, publish_before_use: 900}\ntokens: {signing_alg: EdDSA}", source="file"
    )
    assert RotationRules.of(policy) == RotationRules(DAY, timedelta(minutes=15), frozenset({Alg.EDDSA}))
    assert RotationRules.of(Policy()).every == 90 * DAY
    assert RotationRules.of(parse_policy("keys: {rotate_every: 0}", source="file")).every is None


def test_the_plan_tells_a_whole_change_of_keys() -> None:
    acts = plan(KeyRing.of([FIRST], START), RULES, START, paused=False, resumes_at=None)
    assert [(act.at - START, act.act, act.kid) for act in acts] == [
        (90 * DAY - HOUR, Act.PUBLISH, None),
        (90 * DAY, Act.SIGN, None),
        (90 * DAY, Act.RETIRE, FIRST.kid),
        (90 * DAY + RETIREMENT, Act.DROP, FIRST.kid),
    ]


def test_the_plan_tells_what_becomes_of_every_key() -> None:
    old, upcoming = key(1, START - DAY), key(2, START + DAY)
    now = START + HOUR
    acts = plan(KeyRing.of([old, FIRST, upcoming], now), RULES, now, paused=False, resumes_at=None)
    assert [(act.at - START, act.act, act.kid) for act in acts][:4] == [
        (DAY, Act.SIGN, upcoming.kid),
        (DAY, Act.RETIRE, FIRST.kid),
        (RETIREMENT, Act.DROP, old.kid),
        (DAY + RETIREMENT, Act.DROP, FIRST.kid),
    ]


def test_a_pause_puts_the_plan_off_or_ends_it() -> None:
    ring, now = KeyRing.of([FIRST], START), START + 100 * DAY
    assert plan(ring, RULES, now, paused=True, resumes_at=None) == []
    acts = plan(ring, RULES, now, paused=True, resumes_at=now + DAY)
    assert [(act.at - now, act.act) for act in acts][:2] == [(DAY, Act.PUBLISH), (DAY + HOUR, Act.SIGN)]


def test_a_private_half_is_spent_once_nothing_it_signed_can_live() -> None:
    keys = [FIRST, key(1, START + DAY), key(2, START + 2 * DAY, retired_at=START + 2 * DAY)]
    kids = [one.kid for one in keys]
    before, after = (
        START + DAY + RETIREMENT + PRIVATE_HALF_KEPT + step for step in (-timedelta(seconds=1), timedelta(0))
    )
    assert spent_keys(KeyRing.of(keys, before), kids, before) == []
    assert spent_keys(KeyRing.of(keys, after), kids, after) == [(FIRST.kid, START + DAY)]
    assert spent_keys(KeyRing.of(keys, after), kids[1:], after) == []
