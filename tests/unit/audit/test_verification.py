"""Whatever is done to the log at rest is found, and named to the row."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from authcenter.audit.archive import ArchiveFile, archive, read_checkpoints
from authcenter.audit.chain import (
    ERASED_ROWS,
    ERASURE_PROOF,
    GENESIS,
    erasure_statement,
    link,
    row_hash,
    without,
)
from authcenter.audit.checkpoints import CheckpointKeys, checkpoint_document, next_checkpoint
from authcenter.audit.sources import Table
from authcenter.audit.verification import Finding, Verdict, verify
from authcenter.audit.watching import YoungRows
from authcenter.core.errors import Conflict, InvalidInput
from authcenter.core.event import Event, EventKind
from authcenter.core.wire_json import encode
from authcenter.stores.memory.audit_trail import MemoryAuditTrail
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import Checkpoint, Head, Heads
from tests.workbench import SetClock

ROOT, OTHER_ROOT = b"a root secret of 32 bytes or more", b"another root of 32 bytes and more"
Rows: TypeAlias = list[AuditRow]


class Log(MemoryAuditTrail):
    """Two writers with some rows and checkpoints. ``says``: how far the writers claim to have come."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.keys = CheckpointKeys.derive([ROOT])
        super().__init__(MemoryRecord(self.clock, link, GENESIS, lambda _: None))
        self.says: dict[str, Head] = {}

    async def heads(self) -> Heads:
        return dict(self.says)

    @property
    def rows(self) -> Rows:
        return self._record.tables.audit

    @property
    def kept(self) -> list[Checkpoint]:
        return self._record.tables.audit_checkpoints

    async def write(self, writer: str, count: int = 1) -> None:
        for _ in range(count):
            self.clock.advance(1)
            head = self.says.get(writer, Head(0, GENESIS))
            event = Event(EventKind.USER_DISABLED, "cli:root", subject=f"usr_{head.sequence}")
            row = link(event, self.clock.now(), writer, head.sequence + 1, head.row_hash)
            self.says[writer] = Head(row.sequence, row.row_hash)
            await self.append([row])

    async def checkpoint(self) -> Checkpoint:
        heads = await self.moved_heads()
        made = self.keys.sign(next_checkpoint(await self.last_checkpoint(), self.clock.now(), heads))
        assert await self.add_checkpoint(made)
        return made

    def place(self, writer: str, sequence: int) -> int:
        return next(i for i, row in enumerate(self.rows) if (row.writer, row.sequence) == (writer, sequence))

    def change(self, writer: str, sequence: int, **fields: Any) -> None:
        index = self.place(writer, sequence)
        self.rows[index] = replace(self.rows[index], **fields)

    def remove(self, writer: str, *sequences: int) -> None:
        for sequence in sequences:
            del self.rows[self.place(writer, sequence)]

    def write_anew(self, writer: str, begin: int) -> None:
        """As whoever can write to the database would: all hashes from ``begin`` on, and the head."""
        prev_hash = self.rows[self.place(writer, begin - 1)].row_hash if begin > 1 else GENESIS
        for sequence in range(begin, 1 + max(row.sequence for row in self.rows if row.writer == writer)):
            index = self.place(writer, sequence)
            moved = replace(self.rows[index], prev_hash=prev_hash)
            self.rows[index] = replace(moved, row_hash=(prev_hash := row_hash(moved)))
            self.says[writer] = Head(sequence, prev_hash)

    async def verified(self, *copies: Checkpoint) -> Verdict:
        return await verify([Table(self)], self.keys, copies)


@pytest.fixture
async def log() -> Log:
    made = Log()
    await made.write("a", 4)
    await made.write("b", 2)
    await made.checkpoint()
    await made.write("a", 2)
    await made.write("b", 2)
    await made.checkpoint()
    await made.write("a", 1)
    return made


async def test_an_untouched_log_holds(log: Log) -> None:
    verdict = await log.verified(*log.kept)
    assert not verdict.findings
    assert (verdict.rows, verdict.writers, verdict.checkpoints, verdict.beyond) == (11, 2, 2, 1)


async def test_an_empty_log_holds() -> None:
    assert not (await Log().verified()).findings


def _edit(log: Log) -> None:
    log.change("a", 3, actor="nobody")


def _edit_and_hash_anew(log: Log) -> None:
    log.change("a", 3, actor="nobody")
    log.change("a", 3, row_hash=row_hash(log.rows[log.place("a", 3)]))


def _edit_and_write_all_anew(log: Log) -> None:
    log.change("a", 3, actor="nobody")
    log.write_anew("a", 3)


def _delete(log: Log) -> None:
    log.remove("a", 3)


def _delete_the_first(log: Log) -> None:
    log.remove("b", 1)


def _swap(log: Log) -> None:
    third, fourth = log.place("a", 3), log.place("a", 4)
    log.rows[third], log.rows[fourth] = (
        replace(log.rows[fourth], sequence=3),
        replace(log.rows[third], sequence=4),
    )


def _cut_off_what_a_checkpoint_has(log: Log) -> None:
    log.remove("b", 3, 4)
    log.says["b"] = Head(2, log.rows[log.place("b", 2)].row_hash)


def _cut_off_behind_the_head(log: Log) -> None:
    log.remove("a", 7)


def _cut_off_a_whole_writer(log: Log) -> None:
    log.remove("b", 1, 2, 3, 4)
    del log.says["b"]


def _insert_at_the_end(log: Log) -> None:
    last = log.rows[log.place("a", 7)]
    event = Event(EventKind.USER_ENABLED, "cli:root", subject="usr_x")
    log.rows.append(link(event, log.clock.now(), "a", 8, last.row_hash))


def _insert_a_writer(log: Log) -> None:
    log.rows.append(link(Event(EventKind.USER_ENABLED, "cli:root"), log.clock.now(), "c", 1, GENESIS))


def _empty(log: Log) -> None:
    log.change("a", 2, subject="", salt="", erased="{}")


@pytest.mark.parametrize(
    ("tamper", "where", "what"),
    [
        (_edit, "row a:3", "altered"),
        (_edit_and_hash_anew, "row a:4", "does not follow"),
        (_edit_and_write_all_anew, "row a:4", "replaced: checkpoint 1"),
        (_delete, "row a:3", "missing"),
        (_delete_the_first, "row b:1", "missing"),
        (_swap, "row a:3", "altered"),
        (_cut_off_what_a_checkpoint_has, "row b:4", "checkpoint 2 has it"),
        (_cut_off_behind_the_head, "row a:7", "missing"),
        (_cut_off_a_whole_writer, "row b:2", "checkpoint 1 has it"),
        (_insert_at_the_end, "row a:8", "inserted"),
        (_insert_a_writer, "row c:1", "inserted"),
        (_empty, "row a:2", "altered"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
async def test_what_is_done_to_rows_is_named(log: Log, tamper: Callable[[Log], None], where: str, what: str) -> None:
    tamper(log)
    findings = (await log.verified()).findings
    assert [one.where for one in findings] == [where]
    assert what in findings[0].what


@pytest.mark.parametrize("context", ["[]", "1", "null", '"x"', "[" * 100_000, "NaN", "{"], ids=lambda text: text[:8])
async def test_a_context_of_any_shape_is_named(log: Log, context: str) -> None:
    log.change("a", 7, context=context)
    log.write_anew("a", 7)
    assert [one.where for one in (await log.verified()).findings] == ["row a:7"]
    assert {one.where for one in await YoungRows(log, log.keys).look()} == {"row a:7"}


async def test_each_broken_chain_is_named(log: Log) -> None:
    log.change("a", 3, actor="nobody")
    log.change("b", 1, actor="nobody")
    assert [one.where for one in (await log.verified()).findings] == ["row a:3", "row b:1"]


async def test_a_checkpoint_that_is_altered_is_named(log: Log) -> None:
    log.kept[0] = replace(log.kept[0], heads={"a": Head(1, GENESIS)})
    found = await log.verified()
    assert {one.where for one in found.findings} >= {"checkpoint 1", "checkpoint 2"}


async def test_a_checkpoint_that_was_taken_out_is_missing(log: Log) -> None:
    await log.checkpoint()
    del log.kept[1]
    assert Finding("checkpoint 2", "missing") in (await log.verified()).findings


async def test_a_rewritten_log_with_new_checkpoints_differs_from_a_copy_kept_elsewhere(log: Log) -> None:
    # By whoever has the database and the root secret, too.
    copies = list(log.kept)
    log.change("a", 3, actor="nobody")
    log.write_anew("a", 3)
    log.kept.clear()
    await log.checkpoint()
    assert not (await log.verified()).findings
    assert [one.where for one in (await log.verified(*copies)).findings] == ["checkpoint 1", "checkpoint 2"]


async def test_a_log_cut_off_to_an_older_state_lacks_the_checkpoints_of_the_copy(log: Log) -> None:
    copy = log.kept[1]
    del log.kept[1]
    log.remove("a", 5, 6, 7)
    log.remove("b", 3, 4)
    log.says = {"a": Head(4, log.rows[log.place("a", 4)].row_hash), "b": Head(2, log.rows[log.place("b", 2)].row_hash)}
    assert not (await log.verified()).findings
    assert [one.where for one in (await log.verified(copy)).findings] == ["checkpoint 2"]


async def test_a_foreign_key_proves_nothing_unless_one_of_ours_vouches_for_it(log: Log) -> None:
    ours = CheckpointKeys.derive([OTHER_ROOT])
    verdict = await verify([Table(log)], ours)
    assert {one.where for one in verdict.findings} == {"checkpoint 1", "checkpoint 2"}
    log.keys = ours
    await log.checkpoint()
    verdict = await verify([Table(log)], ours)
    assert (list(verdict.findings), verdict.unknown_keys) == ([], 2)


async def test_a_checkpoint_slipped_in_behind_one_of_ours_is_named_though_a_later_one_of_ours_follows_it(
    log: Log,
) -> None:
    forger = CheckpointKeys.derive([OTHER_ROOT])
    log.kept.append(forger.sign(next_checkpoint(log.kept[-1], log.clock.now(), {})))
    await log.checkpoint()
    (found,) = (await log.verified()).findings
    assert (found.where, "none of ours" in found.what) == ("checkpoint 3", True)


async def empty_row(log: Log, keys: CheckpointKeys, writer: str) -> None:
    """Row b:2 loses its subject, and ``writer`` says so, proven by ``keys``."""
    index = log.place("b", 2)
    log.rows[index] = without(log.rows[index], frozenset({"subject"}))
    named = {"subject": {"b": [2]}}
    context = {ERASED_ROWS: named, ERASURE_PROOF: keys.prove(erasure_statement(named))}
    head = log.says.get(writer, Head(0, GENESIS))
    event = Event(EventKind.AUDIT_ERASED, "system", context=context)
    row = link(event, log.clock.now(), writer, head.sequence + 1, head.row_hash)
    log.says[writer] = Head(row.sequence, row.row_hash)
    await log.append([row])


async def test_a_row_that_a_chain_begun_for_it_says_was_erased_is_named(log: Log) -> None:
    await empty_row(log, CheckpointKeys.derive([OTHER_ROOT]), "forger")
    await log.checkpoint()
    assert (await log.verified()).findings == [Finding("row b:2", "emptied, and no erasure says so")]


async def test_an_erasure_holds_under_its_root_and_once_the_root_has_gone(log: Log) -> None:
    await empty_row(log, log.keys, "a")
    await log.checkpoint()
    verdict = await log.verified()
    assert (list(verdict.findings), verdict.erased) == ([], 1)
    log.keys = CheckpointKeys.derive([OTHER_ROOT])
    await log.checkpoint()
    await log.write("a")
    await log.checkpoint()
    verdict = await log.verified()
    assert (list(verdict.findings), verdict.erased, verdict.unknown_keys) == ([], 1, 3)


async def archived(log: Log, tmp_path: Path, name: str = "old.jsonl") -> Path:
    done = await archive(log, log.keys, log.clock, log.clock.now().isoformat(timespec="microseconds"), tmp_path / name)
    assert done is not None
    return done.file


async def test_what_is_archived_leaves_the_table_and_both_go_on_being_verified(log: Log, tmp_path: Path) -> None:
    before = len(log.rows)
    first = await archived(log, tmp_path, "first.jsonl")
    stays = len(log.rows)
    assert 0 < stays < before
    await log.write("a", 3)
    await log.write("c", 2)
    log.clock.advance(1)
    second = await archived(log, tmp_path, "second.jsonl")
    await log.write("a", 1)
    await log.checkpoint()

    assert not (await log.verified()).findings
    files = [ArchiveFile.read(first), ArchiveFile.read(second)]
    verdict = await verify([*files, Table(log)], log.keys, read_checkpoints(first))
    assert (list(verdict.findings), verdict.rows) == ([], before + 6)
    assert not (await verify([files[1], Table(log)], log.keys)).findings


async def test_what_is_done_to_an_archive_is_named(log: Log, tmp_path: Path) -> None:
    file = await archived(log, tmp_path)
    text = file.read_text()
    lines = text.splitlines(keepends=True)
    for change, where in (
        (text.replace("usr_2", "usr_9"), "row a:3"),
        ("".join(lines[:2] + lines[3:]), "row a:3"),
        ("".join([*lines[:2], lines[3], lines[2], *lines[4:]]), "row a:3"),
        ("".join(lines[:5] + [line for line in lines[5:] if '"row"' not in line or '"b"' not in line]), "row b:1"),
    ):
        file.write_text(change)
        findings = (await verify([ArchiveFile.read(file), Table(log)], log.keys)).findings
        assert where in {one.where for one in findings}, change


async def test_an_archive_without_its_end_is_refused(log: Log, tmp_path: Path) -> None:
    file = await archived(log, tmp_path)
    lines = file.read_text().splitlines(keepends=True)
    typeless = lines[0].replace('"sequence":1', '"sequence":"x"')
    assert typeless != lines[0]
    endless = lines[-1].replace('"a":[', '"a":[9223372036854775808,"x"],"A":[')
    assert endless != lines[-1]
    for left in (
        [],
        lines[:3],
        [*lines, "{}\n"],
        [*lines, "[]\n"],
        ["nonsense\n"],
        [typeless, *lines],
        [*lines, endless],
    ):
        file.write_text("".join(left))
        with pytest.raises(Exception, match=str(file)):
            ArchiveFile.read(file)


async def test_a_gap_between_archives_is_found(log: Log, tmp_path: Path) -> None:
    first = await archived(log, tmp_path, "first.jsonl")
    await log.write("a", 2)
    log.clock.advance(1)
    await archived(log, tmp_path, "second.jsonl")
    findings = (await verify([ArchiveFile.read(first), Table(log)], log.keys)).findings
    assert findings


async def test_an_archive_made_meanwhile_is_no_break(log: Log, tmp_path: Path) -> None:
    class Archives(Table):
        async def rows(self, begun: Heads) -> AsyncIterator[AuditRow]:
            await archived(log, tmp_path)
            async for row in Table.rows(self, begun):
                yield row

    with pytest.raises(Conflict, match="archive"):
        await verify([Archives(log)], log.keys)
    assert not (await log.verified()).findings


async def test_what_lies_where_an_archive_was_broken_off_is_not_taken_for_this_one(log: Log, tmp_path: Path) -> None:
    first = await archived(log, tmp_path, "first.jsonl")
    of_before = log.kept[0]
    partial = tmp_path / "second.jsonl.partial"
    await log.write("a", 2)
    log.clock.advance(1)
    for text, said in (("", "delete it"), (first.read_text()[:-10], "delete it")):
        partial.write_text(text)
        with pytest.raises(InvalidInput, match=said):
            await archived(log, tmp_path, "second.jsonl")
    partial.unlink()
    second = await archived(log, tmp_path, "second.jsonl")
    await log.write("a", 2)
    log.clock.advance(1)
    before = list(log.rows)
    partial = tmp_path / "third.jsonl.partial"
    later = log.keys.sign(replace(of_before, number=of_before.number + 10))
    for text, said in (
        (first.read_text(), "keep this one"),
        (second.read_text() + encode({"checkpoint": checkpoint_document(later)}).decode(), "delete it"),
    ):
        partial.write_text(text)
        with pytest.raises(InvalidInput, match=said):
            await archived(log, tmp_path, "third.jsonl")
        assert partial.exists()
    assert log.rows == before


async def test_nothing_to_archive_is_said(log: Log, tmp_path: Path) -> None:
    long_ago = (log.clock.now() - timedelta(days=1)).isoformat(timespec="microseconds")
    assert await archive(log, log.keys, log.clock, long_ago, tmp_path / "none.jsonl") is None
    assert not list(tmp_path.iterdir())


async def test_copies_are_read_from_the_log_of_the_service(log: Log, tmp_path: Path) -> None:
    file = tmp_path / "service.log"
    lines: Sequence[bytes] = [
        b"not JSON at all",
        b'{"event":"started"}',
        *(encode({"event": "audit_checkpoint", "checkpoint": checkpoint_document(one)}) for one in log.kept),
    ]
    file.write_bytes(b"\n".join(lines))
    assert read_checkpoints(file) == log.kept
