"""The revocation feed's wire format: what is packed is unpacked, and nothing else is understood."""

import hashlib
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.cut import CutKind
from authcenter.sdk.feed_document import (
    Entries,
    HashedCut,
    TokenGroup,
    grouped,
    hashed_id,
    pack,
    shorts_of,
    unpack,
)

WIDTHS = [4, 5, 8, 9, 12, 16]
_instants = st.one_of(st.just(inf), st.integers(0, 1 << 37).map(float))
_cuts = st.builds(HashedCut, st.sampled_from(CutKind), st.binary(min_size=16, max_size=16), _instants, _instants)


@pytest.mark.parametrize("width", WIDTHS)
@given(data=st.data())
def test_what_is_packed_is_unpacked(width: int, data: st.DataObject) -> None:
    shorts = st.integers(0, (1 << width * 8) - 1)
    tokens = data.draw(st.lists(st.tuples(st.integers(0, 1 << 31), shorts)))
    cuts = data.draw(st.lists(_cuts))
    entries = unpack(width, pack(width, Entries(grouped(width, tokens), cuts)))
    assert {(group.minute, short) for group in entries.tokens for short in shorts_of(group)} == set(tokens)
    assert all(list(shorts_of(group)) == sorted(shorts_of(group)) for group in entries.tokens)
    assert entries.cuts == cuts
    assert len(entries) == len(set(tokens)) + len(cuts)


@pytest.mark.parametrize("width", WIDTHS)
@given(junk=st.binary(max_size=200))
def test_junk_is_refused_or_says_just_what_it_says(width: int, junk: bytes) -> None:
    try:
        entries = unpack(width, junk)
    except ValueError:
        return
    # Flags that have no meaning yet are ignored; all the rest is what somebody packed.
    assert len(pack(width, entries)) == len(junk)


CUT_OFF = pack(8, Entries(grouped(8, [(1, 2), (1, 3), (5, 8)]), [HashedCut(CutKind.KEY, bytes(16), inf, inf, True)]))


@pytest.mark.parametrize("length", range(len(CUT_OFF)))
def test_what_is_cut_off_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match=r"entries|length"):
        unpack(8, CUT_OFF[:length])


def test_a_million_entries_take_their_width_and_little_more() -> None:
    digests = (hashlib.sha256(str(number).encode()).digest() for number in range(100_000))
    tokens = [(number % 15, int.from_bytes(digest[:8], "big")) for number, digest in enumerate(digests)]
    packed = pack(8, Entries(grouped(8, tokens)))
    assert len(packed) == 8 + 15 * 8 + 100_000 * 8


def test_an_id_is_hashed_with_its_kind() -> None:
    assert hashed_id(CutKind.SUBJECT, "one") != hashed_id(CutKind.FAMILY, "one")
    assert b"one" not in hashed_id(CutKind.SUBJECT, "one")
    assert len(hashed_id(CutKind.EVERYTHING, "")) == 16


def test_groups_of_one_minute_may_come_in_parts() -> None:
    group = grouped(8, [(7, 1), (7, 2)])[0]
    assert isinstance(group, TokenGroup)
    assert len(unpack(8, pack(8, Entries([group, group]))).tokens) == 2


@pytest.mark.parametrize("instant", [-1.0, float("nan"), 1e12, -inf])
def test_a_cut_of_no_time_is_refused(instant: float) -> None:
    with pytest.raises(ValueError, match="time"):
        unpack(8, pack(8, Entries((), [HashedCut(CutKind.KEY, bytes(16), inf, instant)])))
