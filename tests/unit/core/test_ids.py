"""Identifiers: what they look like, and that they do not repeat."""

import time
import uuid

import pytest

from authcenter.core.ids import (
    SUBJECT_PREFIX,
    milliseconds_of_jti,
    milliseconds_of_uuid7,
    new_family_id,
    new_jti,
    new_subject,
    uuid7,
    uuid7_at,
)


def test_a_uuid7_has_version_variant_and_the_time() -> None:
    before = time.time_ns() // 1_000_000
    value = uuid.UUID(uuid7())
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert before <= value.int >> 80 <= time.time_ns() // 1_000_000
    assert str(value) == str(value).lower()


def test_uuid7s_sort_by_time() -> None:
    early = uuid7()
    time.sleep(0.002)
    assert early < uuid7()


def test_random_ids_do_not_repeat() -> None:
    for make in (new_subject, new_family_id, new_jti, uuid7):
        assert len({make() for _ in range(1_000)}) == 1_000


def test_a_subject_is_a_prefix_and_128_bits() -> None:
    assert new_subject().startswith(SUBJECT_PREFIX)
    assert len(new_subject()) == len(SUBJECT_PREFIX) + 22


def test_request_ids_and_jti_tell_when_they_were_made() -> None:
    before = time.time_ns() // 1_000_000
    request, jti = milliseconds_of_uuid7(uuid7()), milliseconds_of_jti(new_jti())
    after = time.time_ns() // 1_000_000
    assert request is not None
    assert jti is not None
    assert before <= request <= jti <= after


def test_an_instants_first_uuid7_lies_before_all_of_it_and_behind_all_of_before() -> None:
    made = uuid7()
    at = milliseconds_of_uuid7(made)
    assert at is not None
    assert uuid7_at(at) <= made < uuid7_at(at + 1)
    assert milliseconds_of_uuid7(uuid7_at(at)) == at
    for beyond in (-1, 1 << 48, 1 << 90):
        assert milliseconds_of_uuid7(uuid7_at(beyond)) in (0, (1 << 48) - 1)


_OURS = "01a20744-3191-7dbf-b769-9f8bd94c90c2"
_UUID4 = "a4843160-10cf-4730-9faf-fddc8b1e17e7"
NAMES = ["", "request-1", "é", "A" * 21, "A" * 23, _OURS.upper(), _OURS + "0", _UUID4, "\ud800"]


@pytest.mark.parametrize("text", NAMES, ids=ascii)
def test_of_other_names_nobody_says_when_they_were_made(text: str) -> None:
    assert milliseconds_of_uuid7(text) is None
    assert milliseconds_of_jti(text) is None
