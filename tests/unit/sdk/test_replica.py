"""The replica of revocations: what it refuses, what it costs, what it forgets."""

import hashlib
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.cut import Cut, CutKind
from authcenter.core.digest import Digest
from authcenter.core.token import AccessToken
from authcenter.sdk.replica import Bucket, RevocationReplica

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
WIDTHS = [4, 5, 8, 9, 12, 16]


def digest(number: int) -> Digest:
    return Digest(hashlib.sha256(str(number).encode()).digest())


def token(number: int = 0, expires_in: int = 600, **changes: Any) -> AccessToken:
    fields: dict[str, Any] = {
        "claims": {},
        "client_id": "app",
        "subject": "usr_alice",
        "audience": ("api",),
        "family": "family-1",
        "session": "session-1",
        "jti": f"jti-{number}",
        "kid": "kid-1",
        "issued_at": SECONDS,
        "expires_at": SECONDS + expires_in,
        "digest": digest(number),
        **changes,
    }
    return AccessToken(**fields)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_added_is_refused_and_nothing_else(width: int) -> None:
    replica = RevocationReplica(width)
    for number in range(0, 3_000, 2):
        replica.add_token(digest(number), NOW + timedelta(seconds=600))
    assert all(replica.refusal(token(number)) for number in range(0, 3_000, 2))
    assert not any(replica.refusal(token(number)) for number in range(1, 3_000, 2))
    assert len(replica) == 1_500


@pytest.mark.parametrize("width", WIDTHS)
def test_loading_many_at_once_is_the_same(width: int) -> None:
    one, many = RevocationReplica(width), RevocationReplica(width)
    entries = [(digest(number), NOW + timedelta(seconds=number % 500)) for number in range(2_500)]
    for entry in entries:
        one.add_token(*entry)
    many.add_tokens(entries)
    many.add_tokens(entries[:100])
    assert len(one) == len(many) == 2_500
    for number in range(2_600):
        held = token(number, number % 500)
        assert bool(one.refusal(held)) == bool(many.refusal(held)) == (number < 2_500)


def test_newcomers_are_merged_in_at_a_thousand() -> None:
    bucket = Bucket(8)
    for number in range(999):
        bucket.add(number)
    assert (len(bucket._newcomers), len(bucket._high)) == (999, 0)
    bucket.add(999)
    assert (len(bucket._newcomers), len(bucket._high)) == (0, 1_000)
    assert all(number in bucket for number in range(1_000))
    assert 1_000 not in bucket


def test_short_hashes_that_share_their_first_word_are_told_apart() -> None:
    bucket = Bucket(16)
    bucket.merge([7 << 64 | low for low in range(0, 100, 2)])
    assert all((7 << 64 | low in bucket) == (low % 2 == 0) for low in range(100))
    assert 8 << 64 not in bucket


@given(
    width=st.sampled_from(WIDTHS),
    batches=st.lists(st.lists(st.integers(0, 60), max_size=20), max_size=8),
    singles=st.lists(st.integers(0, 60), max_size=40),
)
def test_a_bucket_is_a_set(width: int, batches: list[list[int]], singles: list[int]) -> None:
    bucket, model = Bucket(width), set[int]()
    spread = (1 << width * 8) // 61
    for number, single in enumerate(singles):
        if single * spread not in bucket:
            bucket.add(single * spread)
        if number < len(batches):
            bucket.merge(one * spread for one in batches[number])
            model |= set(batches[number])
        model.add(single)
    assert {number for number in range(61) if number * spread in bucket} == model
    assert len(bucket) == len(model)


def test_a_bucket_is_dropped_whole_once_its_last_second_has_lapsed() -> None:
    replica = RevocationReplica(8)
    replica.add_token(digest(1), NOW)
    replica.add_token(digest(2), NOW + timedelta(seconds=59))
    replica.add_token(digest(3), NOW + timedelta(seconds=60))
    replica.drop_lapsed(NOW + timedelta(seconds=59))
    assert len(replica) == 3
    replica.drop_lapsed(NOW + timedelta(seconds=60))
    assert len(replica) == 1
    assert replica.refusal(token(3, 60))


def test_the_version_rises_with_what_is_new_only() -> None:
    replica = RevocationReplica(8, version=5)
    replica.add_token(digest(1), NOW)
    assert replica.version == 6
    replica.add_token(digest(1), NOW)
    replica.add_cut(Cut(CutKind.CLIENT, "app", "x"))
    replica.add_cut(Cut(CutKind.CLIENT, "app", "x"))
    assert replica.version == 7


# False positives: n entries of b bytes refuse a good token with probability n / 256^b (DESIGN "Revocation").
ODDS = [
    pytest.param(4, 4_295, id="4 bytes: 1 in about 4,300"),
    pytest.param(8, 1.8e13, id="8 bytes, the default: 1 in about 10^13"),
    pytest.param(16, 3.4e32, id="16 bytes"),
]


@pytest.mark.parametrize(("width", "one_in"), ODDS)
def test_a_million_entries_refuse_one_good_token_in(width: int, one_in: float) -> None:
    assert 256**width / 1_000_000 == pytest.approx(one_in, rel=0.03)


def test_the_odds_are_those_of_the_arithmetic() -> None:
    """At 4 bytes, 200,000 entries of one minute hit 200,000 good tokens about 9.3 times."""
    bucket = Bucket(4)
    bucket.merge(int.from_bytes(digest(number)[:4], "big") for number in range(200_000))
    hits = sum(int.from_bytes(digest(number)[:4], "big") in bucket for number in range(200_000, 400_000))
    assert 1 <= hits <= 25


def test_an_entry_costs_little_memory() -> None:
    """About 10 bytes for each of 100,000 loaded entries of 15 minutes; 32 with newcomers."""
    loaded, grown = RevocationReplica(8), RevocationReplica(8)
    entries = [(digest(number), NOW + timedelta(seconds=number % 900)) for number in range(100_000)]
    loaded.add_tokens(entries)
    for entry in entries:
        grown.add_token(*entry)
    assert _bytes(loaded) / 100_000 <= 10
    assert _bytes(grown) / 100_000 <= 32


def _bytes(replica: RevocationReplica) -> int:
    total = sys.getsizeof(replica._buckets)
    for bucket in replica._buckets.values():
        newcomers = bucket._newcomers
        total += sys.getsizeof(bucket) + sys.getsizeof(bucket._high) + sys.getsizeof(newcomers)
        total += sum(sys.getsizeof(short) for short in newcomers)
    return total


CARRIED = [
    pytest.param(CutKind.JTI, "jti-0", id="jti"),
    pytest.param(CutKind.FAMILY, "family-1", id="family"),
    pytest.param(CutKind.SESSION, "session-1", id="session"),
    pytest.param(CutKind.KEY, "kid-1", id="key"),
    pytest.param(CutKind.SUBJECT, "usr_alice", id="subject"),
    pytest.param(CutKind.CLIENT, "app", id="client"),
    pytest.param(CutKind.EVERYTHING, "", id="everything"),
]


@pytest.mark.parametrize(("kind", "value"), CARRIED)
def test_membership_refuses_whatever_the_iat(kind: CutKind, value: str) -> None:
    replica = RevocationReplica(8)
    replica.add_cut(Cut(kind, value, "because"))
    for issued_at in (0, SECONDS, SECONDS + 1_000_000):
        refusal = replica.refusal(token(issued_at=issued_at))
        assert refusal is not None
        assert "because" in refusal


@pytest.mark.parametrize(("kind", "value"), CARRIED)
def test_an_instant_refuses_what_was_issued_up_to_it(kind: CutKind, value: str) -> None:
    replica = RevocationReplica(8)
    replica.add_cut(Cut(kind, value, "because", up_to=NOW))
    assert replica.refusal(token(issued_at=SECONDS))
    assert replica.refusal(token(issued_at=SECONDS + 1)) is None


def test_a_token_without_session_is_not_in_a_session() -> None:
    replica = RevocationReplica(8)
    replica.add_cut(Cut(CutKind.SESSION, "session-1", "x"))
    assert replica.refusal(token(session="")) is None


def test_a_cut_is_replaced_by_what_the_record_has_now() -> None:
    replica = RevocationReplica(8)
    replica.add_cut(Cut(CutKind.CLIENT, "app", "disabled"))
    assert replica.refusal(token(issued_at=SECONDS + 5))
    replica.add_cut(Cut(CutKind.CLIENT, "app", "disabled", up_to=NOW))
    assert replica.refusal(token(issued_at=SECONDS + 5)) is None
    assert replica.refusal(token(issued_at=SECONDS))


def test_a_cut_lapses_with_the_last_token_it_could_refuse() -> None:
    replica = RevocationReplica(8)
    replica.add_cut(Cut(CutKind.CLIENT, "app", "x", expires_at=NOW))
    replica.add_cut(Cut(CutKind.SUBJECT, "usr_alice", "x"))
    replica.drop_lapsed(NOW)
    assert len(replica) == 2
    replica.drop_lapsed(NOW + timedelta(seconds=1))
    assert len(replica) == 1
    assert replica.refusal(token())
