"""Archives: rows that have left the table, as JSON Lines, with the checkpoints up to the one that closes the file.

Each line is an object with one member: ``row`` or ``checkpoint``. The last line is the closing checkpoint, which says
how far each chain had come and which rows are in here; the table goes on from there.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from authcenter.audit.checkpoints import CheckpointKeys, checkpoint_document, closing_checkpoint, read_checkpoint
from authcenter.audit.sources import Source
from authcenter.core.clock import Clock
from authcenter.core.errors import Conflict, InvalidInput, StoreUnavailable
from authcenter.core.event import EventKind
from authcenter.stores.ports.audit import AuditRow, read_row
from authcenter.stores.ports.audit_trail import AuditTrail, Checkpoint, Head, Heads

_ROWS_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Archived:
    """What went into an archive."""

    file: Path
    rows: int
    closed_by: Checkpoint


async def archive(trail: AuditTrail, keys: CheckpointKeys, clock: Clock, before: str, file: Path) -> Archived | None:
    """Move what is older than ``before`` (ISO 8601, UTC) into ``file``; None: there is nothing.

    The rows are on disk before they leave the table. Until the end the file's name ends in ``.partial``: where this is
    broken off, either the table has everything still, or that file does, and the same call goes on with it.

    Raises:
        InvalidInput: The file cannot be written; one of its name is written over at the end. Or an archive was broken
            off, and this is not its file.
        Conflict: A checkpoint was made meanwhile: try again.
        StoreUnavailable: Nothing, some or all of it was moved.
    """
    partial = file.with_name(file.name + ".partial")
    first = next(iter(await trail.checkpoints(0, 1)), None)
    if partial.exists():
        left = _broken_off(partial, first)
        return await _finished(trail, partial, file, len(left.rows_in_order), left.closes[-1])
    begun = first.archived if first else {}
    await _require_all_taken(trail, begun)
    last = await trail.last_checkpoint()
    old = await trail.ended_before(before)
    ended = {writer: head for writer, head in old.items() if _is_behind(begun, writer, head)}
    if not ended:
        return None
    closing = keys.sign(closing_checkpoint(last, clock.now(), await trail.heads(), {**begun, **ended}))
    try:
        with partial.open("x", encoding="utf-8") as out:
            partial.chmod(0o600)
            rows = 0
            for writer, head in sorted(ended.items()):
                async for row in _chain(trail, writer, begun, head.sequence):
                    out.write(_line("row", asdict(row)))
                    rows += 1
            for checkpoint in await _all_checkpoints(trail):
                out.write(_line("checkpoint", checkpoint_document(checkpoint)))
            out.write(_line("checkpoint", checkpoint_document(closing)))
            out.flush()
            os.fsync(out.fileno())
    except OSError as failure:
        raise InvalidInput(f"{partial}: {failure.strerror}") from failure
    return await _finished(trail, partial, file, rows, closing)


@dataclass(frozen=True, slots=True)
class ArchiveFile(Source):
    """One archive, as a part of the log. All of it is read at once."""

    rows_in_order: Sequence[AuditRow]
    closes: Sequence[Checkpoint]

    @classmethod
    def read(cls, path: Path) -> "ArchiveFile":
        """Raises ``InvalidInput``: it is none, and at which line."""
        rows, checkpoints = list[AuditRow](), list[Checkpoint]()
        for where, document in _documents(path):
            try:
                if "row" in document:
                    rows.append(read_row(document["row"]))
                else:
                    checkpoints.append(read_checkpoint(document["checkpoint"]))
            except (KeyError, TypeError, ValueError) as problem:
                raise InvalidInput(f"{where}: neither a row nor a checkpoint") from problem
        if not checkpoints or not checkpoints[-1].complete:
            raise InvalidInput(f"{path}: no checkpoint closes it: its end is missing")
        return cls(rows, checkpoints)

    async def archived(self) -> Heads:
        return {}

    async def checkpoints(self) -> Sequence[Checkpoint]:
        return self.closes

    async def checkpointed(self) -> Mapping[str, int]:
        return {}

    async def erasures(self) -> Sequence[AuditRow]:
        return [row for row in self.rows_in_order if row.event == EventKind.AUDIT_ERASED]

    async def rows(self, begun: Heads) -> AsyncIterator[AuditRow]:
        for row in self.rows_in_order:
            yield row

    async def ends(self) -> Heads:
        return {}


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """Copies of checkpoints, from an archive, from a file of their own, or from the service's log (the lines whose
    event is ``audit_checkpoint``); other lines are passed over.

    Raises:
        InvalidInput: A line that claims to be one is none, or there is not a single one.
    """
    found = list[Checkpoint]()
    for where, document in _documents(path, strict=False):
        claimed = document.get("checkpoint")
        if isinstance(claimed, dict):
            try:
                found.append(read_checkpoint(claimed))
            except ValueError as problem:
                raise InvalidInput(f"{where}: {problem}") from problem
    if not found:
        raise InvalidInput(f"{path}: there is no checkpoint in it")
    return found


def _documents(path: Path, *, strict: bool = True) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    document = json.loads(line)
                except ValueError as problem:
                    if strict:
                        raise InvalidInput(f"{path}:{number}: not JSON") from problem
                    continue
                if isinstance(document, dict):
                    yield f"{path}:{number}", document
                elif strict:
                    raise InvalidInput(f"{path}:{number}: not an object")
    except OSError as failure:
        raise InvalidInput(f"{path}: {failure.strerror}") from failure


def _line(kind: str, value: object) -> str:
    return json.dumps({kind: value}, separators=(",", ":")) + "\n"


async def _finished(trail: AuditTrail, partial: Path, file: Path, rows: int, closing: Checkpoint) -> Archived:
    try:
        removed = await trail.remove_archived(closing)
    except StoreUnavailable as gone:
        hint = f"{gone}; {partial} may have the only copy of rows that have left the table: name {file} again to go on"
        raise StoreUnavailable(hint) from gone
    if not removed:
        await asyncio.to_thread(partial.unlink)
        raise Conflict("a checkpoint was made meanwhile")
    _rename(partial, file)
    return Archived(file, rows, closing)


def _rename(partial: Path, file: Path) -> None:
    try:
        partial.rename(file)
        # The name must survive, too.
        directory = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
    except OSError as failure:
        raise InvalidInput(f"{partial}, which has all rows: {failure.strerror}") from failure


def _broken_off(partial: Path, first: Checkpoint | None) -> "ArchiveFile":
    """The archive that the table goes on from, though its file says that it is not done."""
    try:
        left = ArchiveFile.read(partial)
    except InvalidInput as torn:
        where = "where its last line is none, nothing of it has left the table: delete it"
        raise InvalidInput(f"{torn}; broken off: {where}") from torn
    closing = left.closes[-1]
    if first is not None and first.number > closing.number:
        raise InvalidInput(f"{partial}: another archive has been made since; keep this one under another name")
    if closing != first:
        raise InvalidInput(f"{partial}: broken off before anything of it had left this table: delete it")
    return left


async def _require_all_taken(trail: AuditTrail, begun: Heads) -> None:
    """What the last archive has must have left: the next one would delete it, and not have it."""
    for writer, head in begun.items():
        for row in await trail.chain(writer, 0, 1):
            if row.sequence <= head.sequence:
                raise InvalidInput("an archive was broken off: name its file again, the one that ends in .partial now")


def _is_behind(begun: Heads, writer: str, head: Head) -> bool:
    return writer not in begun or head.sequence > begun[writer].sequence


async def _chain(trail: AuditTrail, writer: str, begun: Heads, up_to: int) -> AsyncIterator[AuditRow]:
    after = begun[writer].sequence if writer in begun else 0
    while some := await trail.chain(writer, after, min(_ROWS_AT_ONCE, up_to - after)):
        for row in some:
            yield row
        after = some[-1].sequence
        if after >= up_to:
            return


async def _all_checkpoints(trail: AuditTrail) -> Sequence[Checkpoint]:
    found: list[Checkpoint] = []
    while more := await trail.checkpoints(found[-1].number if found else 0, _ROWS_AT_ONCE):
        found.extend(more)
    return found
