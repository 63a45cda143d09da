"""What a follower of the feed knows: in which order documents are taken, and what none of them can undo."""

import hashlib
from datetime import UTC, datetime
from math import inf
from typing import Any

import pytest

from authcenter.core.cut import CutKind
from authcenter.core.digest import Digest
from authcenter.core.token import AccessToken
from authcenter.sdk.feed_document import DocumentKind, Entries, HashedCut, grouped, hashed_id
from authcenter.sdk.feed_reading import FeedDocument, FeedRejected
from authcenter.sdk.known_revocations import KnownRevocations

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC).timestamp()
EXPIRES = int(NOW) + 600


def digest(number: int) -> Digest:
    return Digest(hashlib.sha256(str(number).encode()).digest())


def token(number: int = 0, **changes: Any) -> AccessToken:
    fields: dict[str, Any] = {
        "claims": {},
        "client_id": "app",
        "subject": "usr_alice",
        "audience": ("api",),
        "family": "family-1",
        "session": "session-1",
        "jti": f"jti-{number}",
        "kid": "kid-1",
        "issued_at": int(NOW),
        "expires_at": EXPIRES,
        "digest": digest(number),
        **changes,
    }
    return AccessToken(**fields)


def entries(*numbers: int, cuts: tuple[HashedCut, ...] = (), width: int = 8) -> Entries:
    tokens = [(EXPIRES // 60, int.from_bytes(digest(number)[:width], "big")) for number in numbers]
    return Entries(grouped(width, tokens), cuts)


def document(kind: DocumentKind = DocumentKind.SNAPSHOT, told: Entries | None = None, **changes: Any) -> FeedDocument:
    fields: dict[str, Any] = {
        "kind": kind,
        "kid": "kid-1",
        "issued_at": NOW,
        "as_of": NOW - 1,
        "cursor": "one",
        "after": "" if kind is DocumentKind.SNAPSHOT else "one",
        "width": 8,
        "entries": told or Entries(),
        "size": 0,
        **changes,
    }
    return FeedDocument(**fields)


def delta(told: Entries, after: str = "one", cursor: str = "two", **changes: Any) -> FeedDocument:
    return document(DocumentKind.DELTA, told, after=after, cursor=cursor, **changes)


def cut(kind: CutKind, value: str, up_to: float = inf, *, lifted: bool = False) -> HashedCut:
    return HashedCut(kind, hashed_id(kind, value), up_to, NOW + 1_000, lifted)


def known(told: Entries | None = None, **changes: Any) -> KnownRevocations:
    made = KnownRevocations()
    made.take(document(told=told, **changes), NOW, 1_000.0)
    return made


@pytest.mark.parametrize("width", [4, 8, 12, 16])
def test_snapshot_and_deltas_refuse_what_they_name(width: int) -> None:
    follower = known(entries(1, width=width), width=width)
    versions = [follower.version]
    follower.take(delta(entries(2, 3, width=width), width=width), NOW, 1_001.0)
    versions.append(follower.version)
    assert [bool(follower.refusal(token(number))) for number in range(5)] == [False, True, True, True, False]
    assert versions[1] > versions[0]
    assert follower.cursor == "two"
    assert len(follower) == 3


def test_a_large_delta_is_taken_too() -> None:
    follower = known(entries(1))
    follower.take(delta(entries(*range(2, 3_000))), NOW, 1_001.0)
    assert len(follower) == 2_999
    assert follower.refusal(token(2_999))
    assert not follower.refusal(token(3_000))


CARRIED = [
    pytest.param(CutKind.FAMILY, "family-1", id="family"),
    pytest.param(CutKind.JTI, "jti-0", id="jti"),
    pytest.param(CutKind.SUBJECT, "usr_alice", id="subject"),
    pytest.param(CutKind.CLIENT, "app", id="client"),
    pytest.param(CutKind.SESSION, "session-1", id="session"),
    pytest.param(CutKind.KEY, "kid-1", id="key"),
    pytest.param(CutKind.EVERYTHING, "", id="everything"),
]


@pytest.mark.parametrize(("kind", "value"), CARRIED)
def test_a_cut_refuses_what_carries_its_id(kind: CutKind, value: str) -> None:
    follower = known(entries(cuts=(cut(kind, value, NOW),)))
    assert follower.refusal(token())
    assert not follower.refusal(token(issued_at=int(NOW) + 1))
    assert not known(entries(cuts=(cut(kind, "another"),))).refusal(token()) or kind is CutKind.EVERYTHING


WRONG = [
    pytest.param(delta(entries(2), after="elsewhere"), "elsewhere", id="after another cursor"),
    pytest.param(delta(entries(2), issued_at=NOW - 301, as_of=NOW - 302), "301 s ago", id="long ago"),
    pytest.param(delta(entries(2), issued_at=NOW + 301), "s ago", id="from the future"),
    pytest.param(delta(entries(2), as_of=NOW + 61), "the future", id="vouches for the future"),
    pytest.param(delta(entries(2), width=16), "another length", id="of another width"),
    pytest.param(document(told=entries(), as_of=NOW - 62), "rolled back", id="a snapshot that was rolled back"),
    pytest.param(document(DocumentKind.RESET, after="elsewhere"), "elsewhere", id="a reset of another"),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG)
def test_what_does_not_come_next_changes_nothing(wrong: FeedDocument, why: str) -> None:
    follower = known(entries(1))
    before = (follower.version, follower.cursor, follower.fresh_at)
    with pytest.raises(FeedRejected, match=why):
        follower.take(wrong, NOW, 2_000.0)
    assert before == (follower.version, follower.cursor, follower.fresh_at)
    assert follower.refusal(token(1))
    assert not follower.refusal(token(2))


def test_a_delta_is_taken_once() -> None:
    follower = known()
    follower.take(delta(entries(1)), NOW, 1_000.0)
    with pytest.raises(FeedRejected, match="elsewhere"):
        follower.take(delta(entries(1)), NOW, 1_000.0)


def test_what_a_revoked_key_signs_is_rejected() -> None:
    follower = known(entries(cuts=(cut(CutKind.KEY, "leaked"),)))
    with pytest.raises(FeedRejected, match="was revoked"):
        follower.take(delta(entries(1), kid="leaked"), NOW, 1_000.0)
    follower.take(delta(entries(1), kid="another"), NOW, 1_000.0)


def test_a_reset_keeps_what_is_known_and_asks_for_a_snapshot() -> None:
    follower = known(entries(1))
    fresh_at = follower.fresh_at
    follower.take(document(DocumentKind.RESET), NOW, 2_000.0)
    assert follower.cursor is None
    assert follower.refusal(token(1))
    assert follower.fresh_at == fresh_at


def test_a_snapshot_of_an_instance_that_is_behind_undoes_nothing() -> None:
    follower = known(entries(1, cuts=(cut(CutKind.SUBJECT, "usr_alice", NOW),)))
    follower.take(
        document(told=entries(2, cuts=(cut(CutKind.SUBJECT, "usr_alice", NOW - 500),)), as_of=NOW - 30), NOW, 0
    )
    assert follower.refusal(token(1))
    assert follower.refusal(token(2))
    assert follower.refusal(token(3)), "the later cut still stands"


def test_what_was_known_before_a_snapshot_is_forgotten_once_that_is_certain_to_be_safe() -> None:
    follower = known(entries(1))
    follower.take(document(told=entries(2), as_of=NOW), NOW, 1_000.0)
    follower.drop_lapsed(NOW)
    assert follower.refusal(token(1))
    follower.take(delta(entries(), as_of=NOW + 60.5, issued_at=NOW + 61), NOW + 61, 1_061.0)
    follower.drop_lapsed(NOW)
    assert not follower.refusal(token(1))
    assert follower.refusal(token(2))


def test_a_late_cut_does_not_undo_a_later_one_but_a_lifted_one_does() -> None:
    follower = known(entries(cuts=(cut(CutKind.CLIENT, "app"),)))
    follower.take(delta(entries(cuts=(cut(CutKind.CLIENT, "app", NOW - 100),))), NOW, 0)
    assert follower.refusal(token())
    lifted = cut(CutKind.CLIENT, "app", NOW - 100, lifted=True)
    follower.take(delta(entries(cuts=(lifted,)), after="two", cursor="three"), NOW, 0)
    assert not follower.refusal(token())


AGES = [
    pytest.param(NOW, NOW - 3, NOW, 3, id="as old as its signer says"),
    pytest.param(NOW - 20, NOW - 23, NOW, 23, id="and as long as it was on its way"),
    pytest.param(NOW + 20, NOW + 17, NOW, 3, id="a clock that is behind makes it no younger"),
]


@pytest.mark.parametrize(("issued_at", "as_of", "now", "age"), AGES)
def test_the_age_of_what_is_known(issued_at: float, as_of: float, now: float, age: float) -> None:
    follower = KnownRevocations()
    assert follower.fresh_at == -inf
    follower.take(document(issued_at=issued_at, as_of=as_of), now, 1_000.0)
    assert follower.fresh_at == 1_000.0 - age


def test_a_server_that_has_lost_its_record_vouches_for_nothing_new() -> None:
    follower = known(as_of=NOW - 1)
    follower.take(delta(entries(), as_of=NOW - 1, issued_at=NOW + 50), NOW + 50, 1_050.0)
    assert follower.fresh_at == 999.0


def test_what_has_lapsed_is_forgotten() -> None:
    follower = known(entries(1, cuts=(cut(CutKind.CLIENT, "app"),)))
    follower.drop_lapsed(NOW + 599)
    assert len(follower) == 2
    follower.drop_lapsed(NOW + 1_001)
    assert len(follower) == 0
