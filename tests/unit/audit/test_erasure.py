"""Erasing a person from the audit log: what names them goes, the chain holds, and nothing else can go that way."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.audit.chain import (
    ERASED_ROWS,
    ERASURE_PROOF,
    GENESIS,
    emptied_fields,
    erased_rows,
    erasure_statement,
    first_break,
    link,
    row_hash,
    without,
)
from authcenter.audit.checkpoints import CheckpointKeys
from authcenter.audit.erasure import Erasure, erasure_of
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId, Subject
from authcenter.core.origin import RequestOrigin
from authcenter.core.user import User
from authcenter.stores.ports.audit import AuditRow

KEYS = CheckpointKeys.derive([b"a root secret of 32 bytes or more"])
FORGER = CheckpointKeys.derive([b"another root of 32 bytes and more"])
AT = datetime(2030, 1, 1, tzinfo=UTC)
ADA = User(Subject("usr_ada"), "Ada", "ada@example.com", True, frozenset(), AT, AT)
ORIGIN = RequestOrigin(RequestId("r"), ip="192.0.2.7", user_agent="Ada's browser")
OPERATOR = RequestOrigin(RequestId("r"), ip="198.51.100.1", user_agent="curl")
BOBS = RequestOrigin(RequestId("r"), ip="192.0.2.8", user_agent="Bob's")
PERSONAL = ["ip", "user_agent", "actor", "subject", "context"]


def appended(rows: list[AuditRow], *events: Event, writer: str = "writer") -> list[AuditRow]:
    rows = list(rows)
    for event in events:
        own = [row for row in rows if row.writer == writer]
        prev = own[-1].row_hash if own else GENESIS
        rows.append(link(event, AT + timedelta(seconds=len(rows)), writer, len(own) + 1, prev))
    return sorted(rows, key=lambda row: (row.writer, row.sequence))


def a_log() -> list[AuditRow]:
    """Ada signs in, an operator sets her claims, Bob signs in, Ada's name is said, in two chains."""
    rows = appended(
        [],
        Event(EventKind.SESSION_STARTED, ADA.subject, subject=ADA.subject, origin=ORIGIN, context={"sid": "s1"}),
        Event(EventKind.USER_CLAIMS_SET, "cli:root", subject=ADA.subject, origin=OPERATOR),
        Event(EventKind.SESSION_STARTED, "usr_bob", subject="usr_bob", origin=BOBS),
    )
    said = Event(EventKind.USER_CREATED, "cli:root", subject=ADA.subject, context={"told": ["x", {"name": " ADA "}]})
    return appended(rows, said, Event(EventKind.KEY_CREATED, "cli:root"), writer="other")


def about(rows: list[AuditRow]) -> list[AuditRow]:
    return [row for row in rows if ADA.subject in {row.actor, row.subject}]


def applied(rows: list[AuditRow], erasure: Erasure | None) -> list[AuditRow]:
    assert erasure is not None
    emptied = {(one.row.writer, one.row.sequence): one.row for one in erasure.rows}
    return appended([emptied.get((row.writer, row.sequence), row) for row in rows], erasure.event)


def erased() -> list[AuditRow]:
    rows = a_log()
    return applied(rows, erasure_of(ADA, about(rows), KEYS.prove))


def test_after_an_erasure_the_chains_hold_and_tell_which_rows_were_emptied() -> None:
    rows = erased()
    assert first_break(rows, KEYS.proves) is None
    assert {(row.writer, row.sequence, emptied_fields(row)) for row in erased_rows(rows)} == {
        ("writer", 1, frozenset({"actor", "subject", "ip", "user_agent"})),
        ("writer", 2, frozenset({"subject"})),
        ("other", 1, frozenset({"subject", "context"})),
    }


def test_after_an_erasure_nothing_of_the_person_is_left() -> None:
    text = repr(erased())
    for name in (ADA.subject, "ADA", "192.0.2.7", "Ada's browser"):
        assert name not in text
    for stays in ("198.51.100.1", "usr_bob", "Bob's", "s1", "cli:root"):
        assert stays in text


def test_the_salts_go_so_that_nobody_can_try_out_who_it_was() -> None:
    rows, before = erased(), a_log()
    assert all(row.salt == "" for row in erased_rows(rows))
    held = json.loads(erased_rows(rows)[0].erased)
    assert held["salts"].keys() & held["digests"].keys() == set()
    assert before[0].salt not in repr(rows)


@pytest.mark.parametrize("name", [*PERSONAL, "event", "client_id", "occurred_at", "request_id"])
def test_an_altered_row_is_found_after_an_erasure(name: str) -> None:
    rows = erased()
    for index in range(len(rows)):
        altered = replace(rows[index], **{name: '{"a":1}' if name == "context" else "altered"})
        found = first_break([*rows[:index], altered, *rows[index + 1 :]], KEYS.proves)
        # Where the erasure itself does not hold, what it emptied counts as altered.
        assert found == (next(row for row in rows if row.erased) if _erases(rows[index]) else altered)


def _erases(row: AuditRow) -> bool:
    return row.event == EventKind.AUDIT_ERASED


def _with(row: AuditRow, part: str, name: str, value: Any) -> AuditRow:
    held = json.loads(row.erased)
    held[part][name] = value
    return replace(row, erased=json.dumps(held, sort_keys=True, separators=(",", ":")))


TAMPERED = [
    pytest.param(lambda row: replace(row, erased=""), id="digests taken away"),
    pytest.param(lambda row: replace(row, erased="{}"), id="no digests"),
    pytest.param(lambda row: replace(row, erased="[" * 100_000), id="nested without end"),
    pytest.param(lambda row: replace(row, erased=row.erased + " "), id="written otherwise"),
    pytest.param(lambda row: replace(row, salt="00" * 16), id="a salt put back"),
    pytest.param(lambda row: replace(row, format=1), id="an older format"),
    pytest.param(lambda row: replace(row, format=3), id="a format of nobody"),
    pytest.param(lambda row: _with(row, "digests", "actor", "00" * 32), id="another digest"),
    pytest.param(lambda row: _with(row, "digests", "event", "00" * 32), id="a digest of what is not personal"),
    pytest.param(lambda row: _with(row, "salts", "actor", "00"), id="both salt and digest"),
    pytest.param(lambda row: _with(row, "digests", "actor", 7), id="a digest that is no text"),
]


@pytest.mark.parametrize("tamper", TAMPERED)
def test_a_tampered_erasure_is_found(tamper: Any) -> None:
    rows = erased()
    index = next(index for index, row in enumerate(rows) if row.erased and row.writer == "writer")
    rows[index] = tamper(rows[index])
    assert first_break(rows, KEYS.proves) == rows[index]


def test_a_row_emptied_by_nobody_is_found() -> None:
    rows = erased()
    index = next(index for index, row in enumerate(rows) if row.actor == "usr_bob")
    rows[index] = without(rows[index], frozenset({"actor"}))
    assert first_break(rows, KEYS.proves) == rows[index]


def test_emptying_more_than_an_erasure_says_is_found() -> None:
    rows = erased()
    index = next(index for index, row in enumerate(rows) if row.writer == "writer" and row.sequence == 2)
    rows[index] = without(rows[index], frozenset({"ip"}))
    assert first_break(rows, KEYS.proves) == rows[index]


@pytest.mark.parametrize(
    "told", [[], "x", {"actor": []}, {"actor": {"writer": 1}}, {"actor": {"writer": ["1", None]}}], ids=repr
)
def test_an_erasure_of_any_shape_names_nothing(told: Any) -> None:
    rows = appended(a_log(), Event(EventKind.AUDIT_ERASED, "mallory", context={ERASED_ROWS: told}))
    assert first_break(rows, KEYS.proves) is None
    rows[0] = without(rows[0], frozenset({"actor"}))
    assert first_break(rows, KEYS.proves) == rows[0]


@pytest.mark.parametrize(
    "proof",
    [
        pytest.param(lambda told: {}, id="no proof"),
        pytest.param(lambda told: {ERASURE_PROOF: 7}, id="no text"),
        pytest.param(lambda told: {ERASURE_PROOF: "x"}, id="no signature"),
        pytest.param(lambda told: {ERASURE_PROOF: FORGER.prove(erasure_statement(told))}, id="a foreign key"),
        pytest.param(lambda told: {ERASURE_PROOF: KEYS.prove(erasure_statement({}))}, id="ours, of something else"),
    ],
)
def test_a_forged_erasure_in_a_chain_of_its_own_names_nothing(proof: Any) -> None:
    told = {"actor": {"writer": [1]}}
    rows = a_log()
    first = next(row for row in rows if row.writer == "writer")
    rows[rows.index(first)] = emptied = without(first, frozenset({"actor"}))
    forged = Event(EventKind.AUDIT_ERASED, "system", context={ERASED_ROWS: told, **proof(told)})
    assert first_break(appended(rows, forged, writer="w2"), KEYS.proves) == emptied
    ours = {ERASURE_PROOF: KEYS.prove(erasure_statement(told))}
    proven = Event(EventKind.AUDIT_ERASED, "system", context={ERASED_ROWS: told, **ours})
    assert first_break(appended(rows, proven, writer="w2"), KEYS.proves) is None


def test_a_row_can_lose_two_persons_one_after_the_other() -> None:
    bob = replace(ADA, subject=Subject("usr_bob"), username="Bob", email="bob@example.com")
    rows = appended([], Event(EventKind.SESSION_ENDED, "usr_bob", subject=ADA.subject, origin=ORIGIN))
    rows = applied(rows, erasure_of(ADA, about(rows), KEYS.prove))
    assert (rows[0].actor, rows[0].subject, rows[0].ip) == ("usr_bob", "", "192.0.2.7")
    rows = applied(rows, erasure_of(bob, rows[:1], KEYS.prove))
    assert (rows[0].actor, rows[0].ip) == ("", "")
    assert first_break(rows, KEYS.proves) is None


def test_who_is_erased_already_is_not_erased_again() -> None:
    assert erasure_of(ADA, about(erased()), KEYS.prove) is None


def test_rows_of_before_formats_are_emptied_whole_and_hold() -> None:
    rows = [replace(row, format=1) for row in a_log() if row.writer == "writer"]
    for index, row in enumerate(rows):
        prev = rows[index - 1].row_hash if index else GENESIS
        rows[index] = replace(row, prev_hash=prev)
        rows[index] = replace(rows[index], row_hash=row_hash(rows[index]))
    assert first_break(rows, KEYS.proves) is None
    rows = applied(rows, erasure_of(ADA, about(rows), KEYS.prove))
    assert first_break(rows, KEYS.proves) is None
    assert (rows[1].actor, rows[1].ip) == ("", "")
    assert ADA.subject not in repr(rows)


def test_a_row_of_before_erasures_verifies_and_is_emptied() -> None:
    """As the version before this one wrote it."""
    row = AuditRow(
        occurred_at="2030-01-01T00:00:00.000000+00:00",
        event="session.started",
        actor="usr_ada",
        client_id="shop",
        subject="usr_ada",
        ip="192.0.2.7",
        user_agent="Ada's browser",
        request_id="r",
        context='{"sid":"s"}',
        writer="writer",
        sequence=1,
        salt="5a" * 16,
        prev_hash=GENESIS,
        row_hash="ab36d61a8f1658cdb0bdd6a550d017d0e0e89dfcdd113ea5a461d7a031dcc994",
    )
    assert first_break([row], KEYS.proves) is None
    rows = applied([row], erasure_of(ADA, [row], KEYS.prove))
    assert first_break(rows, KEYS.proves) is None
    assert emptied_fields(rows[0]) == {"actor", "subject", "ip", "user_agent"}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.lists(st.sampled_from(PERSONAL)), st.lists(st.sampled_from(PERSONAL)), st.data())
def test_any_fields_can_go_in_any_order_and_the_hash_stays(first: list[str], then: list[str], data: Any) -> None:
    origin = RequestOrigin(RequestId("r"), ip=data.draw(texts), user_agent=data.draw(texts))
    event = Event(EventKind.USER_CREATED, data.draw(texts), "c", data.draw(texts), origin, {"a": data.draw(texts)})
    (row,) = appended([], event)
    emptied = without(without(row, frozenset(first)), frozenset(then))
    assert row_hash(emptied) == row.row_hash
    assert emptied_fields(emptied) == {*first, *then}
