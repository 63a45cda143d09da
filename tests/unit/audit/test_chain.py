"""The hash chain: whatever is done to its rows is found."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.audit.chain import GENESIS, first_break, holds, link, row_hash, without
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId
from authcenter.core.origin import RequestOrigin
from authcenter.stores.ports.audit import AuditRow

AT = datetime(2026, 3, 29, 1, 59, 59, 7, tzinfo=UTC)
FIELDS = [field.name for field in fields(AuditRow)]

# What no hash can be made anew for: numbers of our own, and what says which digests count.
UNHASHED = {"row_hash", "prev_hash", "sequence", "format", "erased", "jti", "family"}

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner),
    max_leaves=5,
)
events = st.builds(
    Event,
    kind=st.sampled_from(EventKind),
    actor=texts,
    client_id=texts,
    subject=texts,
    origin=st.none() | st.builds(RequestOrigin, request_id=texts.map(RequestId), ip=texts, user_agent=texts),
    context=st.dictionaries(texts, json_values, max_size=3),
)


def a_chain(chained: list[Event], writer: str = "writer") -> list[AuditRow]:
    rows: list[AuditRow] = []
    for number, event in enumerate(chained, 1):
        rows.append(link(event, AT + timedelta(seconds=number), writer, number, rows[-1].row_hash if rows else GENESIS))
    return rows


def some_rows(count: int = 4, writer: str = "writer") -> list[AuditRow]:
    origin = RequestOrigin(RequestId("r"), ip="192.0.2.1", user_agent="curl")
    return a_chain(
        [Event(EventKind.USER_CREATED, "cli:root", "c", "s", origin, {"n": n}) for n in range(count)], writer
    )


@given(st.lists(events, max_size=5))
def test_a_chain_of_any_events_holds(chained: list[Event]) -> None:
    assert first_break(a_chain(chained)) is None


def test_a_row_is_hashed_alike_by_who_writes_and_who_verifies_whatever_characters_it_has() -> None:
    said = [chr(number) for number in (*range(128), 0xE9, 0x2028, 0x1F600)]
    told = [Event(EventKind.CLIENT_UPDATED, one, f"a{one}", one, context={one: f'"{one}\\'}) for one in said]
    assert first_break(a_chain(told)) is None


@given(st.lists(events, min_size=1, max_size=4), st.data())
def test_any_alteration_is_found(chained: list[Event], data: st.DataObject) -> None:
    rows = a_chain(chained)
    index = data.draw(st.integers(0, len(rows) - 1))
    name = data.draw(st.sampled_from(FIELDS))
    before = getattr(rows[index], name)
    after = data.draw((st.integers() if isinstance(before, int) else texts).filter(lambda value: value != before))
    rows[index] = replace(rows[index], **{name: after})
    assert first_break(rows) is not None


@pytest.mark.parametrize("name", FIELDS)
def test_an_altered_row_is_named(name: str) -> None:
    rows = some_rows()
    before = getattr(rows[2], name)
    rows[2] = replace(rows[2], **{name: before + (1 if isinstance(before, int) else "x")})
    assert first_break(rows) == rows[2]


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in UNHASHED])
def test_an_altered_row_with_its_hash_made_anew_breaks_at_its_successor(name: str) -> None:
    rows = some_rows()
    altered = replace(rows[2], **{name: getattr(rows[2], name) + "x"})
    rows[2] = replace(altered, row_hash=row_hash(altered))
    # A context with something behind it is no JSON any more.
    assert first_break(rows) == (rows[2] if name in {"writer", "context"} else rows[3])


@pytest.mark.parametrize(
    ("subject", "change"),
    [
        ("usr_ada", {"jti": ""}),
        ("usr_ada", {"family": ""}),
        ("usr_ada", {"family": "another"}),
        ("", {"family": ""}),
        ("app", {"jti": ""}),
        ("app", {"family": "f"}),
    ],
    ids=str,
)
def test_what_rows_are_looked_up_by_cannot_be_blanked(subject: str, change: dict[str, str]) -> None:
    issued = Event(EventKind.TOKEN_ISSUED, "app", "app", subject, context={"jti": "t", "fam": "f"})
    (row,) = a_chain([issued])
    assert holds(row)
    assert holds(without(row, frozenset({"subject"})))
    assert not holds(replace(row, **change))


def test_a_row_of_before_it_could_be_looked_up_holds() -> None:
    row = replace(a_chain([Event(EventKind.TOKEN_REVOKED, "app", context={"jti": "t", "fam": "f"})])[0], format=1)
    row = replace(row, jti="", family="")
    assert holds(replace(row, row_hash=row_hash(row)))


def test_a_removed_row_is_found() -> None:
    for index in range(3):
        rows = some_rows()
        del rows[index]
        assert first_break(rows) == rows[index]


def test_swapped_rows_are_found() -> None:
    for index in range(3):
        rows = some_rows()
        rows[index], rows[index + 1] = rows[index + 1], rows[index]
        assert first_break(rows) == rows[index]


def test_an_inserted_row_is_found() -> None:
    forged = link(Event(EventKind.KEY_REVOKED, "mallory"), AT, "writer", 3, some_rows()[1].row_hash)
    for index in range(5):
        rows = some_rows()
        rows.insert(index, forged)
        assert first_break(rows) is not None


def test_a_doubled_row_is_found() -> None:
    rows = some_rows()
    assert first_break([*rows[:2], rows[1], *rows[2:]]) == rows[1]


def test_rows_of_different_writers_are_chains_of_their_own() -> None:
    one, other = some_rows(writer="one"), some_rows(writer="other")
    mixed = [row for pair in zip(one, other, strict=True) for row in pair]
    assert first_break([*one, *other]) is None
    assert first_break(mixed) is None
    moved = replace(one[3], writer="other", sequence=5)
    assert first_break([*one[:3], *other, moved]) == moved


def test_equal_events_have_different_salts_and_hashes() -> None:
    first, second = some_rows(), some_rows()
    assert {row.salt for row in first}.isdisjoint(row.salt for row in second)
    assert first[0].row_hash != second[0].row_hash
    assert all(len(row.salt) == 32 for row in first)
