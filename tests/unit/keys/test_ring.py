"""The key ring: each key's state at each instant, and what is published."""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from authcenter.core.errors import StoreUnavailable
from authcenter.jose.algorithms import Alg
from authcenter.jose.jwk import read_public_jwk
from authcenter.keys.ring import EMPTY_RING, KeyRing, KeyState, SigningKey
from tests.workbench import START, private_key, stored_key

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
NEXT, CURRENT, RETIRED, DROPPED, REVOKED = KeyState


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


OLD, NEW = key(0, START), key(1, START + 10 * DAY)
MOMENTS = [
    pytest.param(timedelta(0), (CURRENT, NEXT), id="the next one is published"),
    pytest.param(10 * DAY - timedelta(microseconds=1), (CURRENT, NEXT), id="just before it signs"),
    pytest.param(10 * DAY, (RETIRED, CURRENT), id="it signs"),
    pytest.param(11 * DAY + HOUR - timedelta(microseconds=1), (RETIRED, CURRENT), id="the old one's last token lives"),
    pytest.param(11 * DAY + HOUR, (DROPPED, CURRENT), id="the old one's last token is dead"),
    pytest.param(1_000 * DAY, (DROPPED, CURRENT), id="years later"),
]


@pytest.mark.parametrize(("later", "states"), MOMENTS)
def test_a_key_goes_through_its_states_by_time_alone(later: timedelta, states: tuple[KeyState, KeyState]) -> None:
    ring = KeyRing.of([NEW, OLD], START + later)
    assert (ring.states[OLD.kid], ring.states[NEW.kid]) == states
    signer = OLD if states[0] is CURRENT else NEW
    assert ring.signer("ES256") is signer
    assert set(ring.verifying) == {one.kid for one, state in zip((OLD, NEW), states, strict=True) if state != DROPPED}
    assert set(ring.keys) == {OLD.kid, NEW.kid}


def test_the_ring_knows_when_it_changes_next() -> None:
    instants = [START]
    while (changes_at := KeyRing.of([OLD, NEW], instants[-1]).changes_at) is not None:
        assert changes_at > instants[-1]
        instants.append(changes_at)
    assert instants == [START, START + 10 * DAY, START + 11 * DAY + HOUR]


RETIRED_OR_REVOKED = [
    pytest.param({"retired_at": START}, RETIRED, id="retired before it ever signed"),
    pytest.param({"revoked_at": START}, REVOKED, id="revoked"),
    pytest.param({"retired_at": START, "revoked_at": START}, REVOKED, id="retired, then revoked"),
]


@pytest.mark.parametrize(("changes", "state"), RETIRED_OR_REVOKED)
def test_a_key_taken_out_of_turn_never_signs(changes: dict[str, Any], state: KeyState) -> None:
    taken = replace(NEW, **changes)
    ring = KeyRing.of([OLD, taken], START)
    assert ring.states[taken.kid] is state
    later = KeyRing.of([OLD, taken], START + 20 * DAY)
    assert later.signer("ES256") is OLD
    assert taken.kid not in later.verifying


def test_a_revoked_key_is_published_no_more_at_once() -> None:
    ring = KeyRing.of([replace(OLD, revoked_at=START), NEW], START)
    assert OLD.kid not in ring.verifying
    assert OLD.kid.encode() not in ring.jwks
    with pytest.raises(StoreUnavailable):
        ring.signer("ES256")


def test_each_algorithm_has_a_signer_of_its_own() -> None:
    keys = [key(0, START, alg) for alg in (Alg.ES256, Alg.EDDSA)]
    ring = KeyRing.of(keys, START)
    assert {alg: ring.signing[alg].kid for alg in ring.signing} == {one.alg: one.kid for one in keys}
    with pytest.raises(StoreUnavailable, match="RS256"):
        ring.signer("RS256")


def test_of_two_that_begin_together_the_later_made_signs() -> None:
    first, second = key(0, START, created_at=START), key(1, START, created_at=START + timedelta(microseconds=1))
    for order in ([first, second], [second, first]):
        ring = KeyRing.of(order, START)
        assert ring.signer("ES256") is second
        assert ring.states[first.kid] is RETIRED


def test_a_key_that_nothing_opens_verifies_only() -> None:
    ring = KeyRing.of([OLD, replace(NEW, private=None)], START + 10 * DAY)
    assert set(ring.verifying) == {OLD.kid, NEW.kid}
    with pytest.raises(StoreUnavailable):
        ring.signer("ES256")


def test_the_jwk_set_has_public_members_and_distinct_kids() -> None:
    keys = [key(0, START, alg) for alg in Alg] + [NEW]
    ring = KeyRing.of(keys, START)
    published = json.loads(ring.jwks)["keys"]
    assert len({jwk["kid"] for jwk in published}) == len(published) == 5
    for jwk in published:
        assert set(jwk) <= {"kty", "crv", "x", "y", "n", "e", "kid", "use", "alg"}


def test_the_etag_is_of_the_content() -> None:
    one, same, other = (KeyRing.of(keys, START) for keys in ([OLD, NEW], [NEW, OLD], [OLD]))
    assert one.etag == same.etag != other.etag
    assert one.etag == f'"{hashlib.sha256(one.jwks).hexdigest()[:32]}"'
    assert json.loads(EMPTY_RING.jwks) == {"keys": []}
