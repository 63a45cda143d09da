"""Identifiers: what they look like, and that they do not repeat."""

import time
import uuid

from authcenter.core.ids import SUBJECT_PREFIX, new_family_id, new_jti, new_subject, uuid7


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
