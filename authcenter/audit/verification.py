"""Whether the log holds: every chain from its beginning, every checkpoint, every archive, every copy of a checkpoint.

What is found is named to the row. Cut off unseen can be only what is younger than the last checkpoint, and of that only
the end: what lies before it is held by the chain. Rows may have been added: hashes have no secret.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from authcenter.audit.chain import GENESIS, emptied_fields, holds, named_by_erasures
from authcenter.audit.checkpoints import CheckpointKeys, checkpoint_hash
from authcenter.audit.sources import Source
from authcenter.core.errors import Conflict
from authcenter.stores.ports.audit import AuditRow
from authcenter.stores.ports.audit_trail import Checkpoint, Head, Heads

_ROWS_IN_A_TURN = 100
"""After so many everybody else has a turn: a serving process verifies as well."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not hold.

    Attributes:
        where: ``row WRITER:SEQUENCE`` or ``checkpoint NUMBER``.
    """

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was looked at, and what was found.

    Attributes:
        findings: Of each chain the first break, and all that is wrong with checkpoints; empty: the log holds.
        erased: Rows that persons were erased from: not altered, but not whole any more.
        beyond: Rows younger than the last checkpoint.
        unknown_keys: Of checkpoints whose key is none of ours, but which a later one of ours holds.
    """

    findings: Sequence[Finding]
    rows: int
    writers: int
    checkpoints: int
    erased: int
    beyond: int
    unknown_keys: int


@dataclass(slots=True)
class _Walk:
    """What has been seen so far."""

    reached: dict[str, Head] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    promised: dict[tuple[str, int], tuple[str, int]] = field(default_factory=dict)
    proven: dict[str, int] = field(default_factory=dict)
    emptied: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    older_keys: frozenset[str] = frozenset()
    seen: Counter[str] = field(default_factory=Counter)

    def found(self, where: str, what: str) -> None:
        self.findings.append(Finding(where, what))


async def verify(sources: Sequence[Source], keys: CheckpointKeys, copies: Sequence[Checkpoint] = ()) -> Verdict:
    """Look at everything, and let other tasks go on meanwhile.

    Args:
        sources: In the order of time; the table last.
        copies: Checkpoints that were kept elsewhere.

    Raises:
        Conflict: What is missing may be what an archive has taken meanwhile.
        StoreUnavailable: Cannot tell.
        ValueError: An archive is none.
    """
    walk = _Walk()
    archived = [await source.archived() for source in sources]
    claimed = {writer: at for source in sources for writer, at in (await source.checkpointed()).items()}
    held = [await source.checkpoints() for source in sources]
    checkpoints = [one for some in held for one in some]
    # An archive of before there were others has no checkpoint but the one that closes it.
    from_start = len(sources) > 1 and len(held[0]) == 1
    # In a thread: each checkpoint has a signature to verify, and there is one every ten seconds of the log's life.
    known, unknown_keys = await asyncio.to_thread(_check_all_checkpoints, walk, checkpoints, keys, copies, from_start)
    _check_claims(walk, claimed)
    for source in sources:
        # Before and after: the log goes on while it is read.
        at_least = await source.ends()
        async for row in source.rows(dict(walk.reached)):
            _check_row(walk, row)
            if walk.seen["rows"] % _ROWS_IN_A_TURN == 0:
                await asyncio.sleep(0)
        _check_ends(walk, at_least, await source.ends())
    erasures = [row for source in sources for row in await source.erasures()]
    _check_erasures(walk, named_by_erasures(erasures, partial(keys.proves, older=walk.older_keys)))
    for (writer, sequence), (_, number) in sorted(walk.promised.items()):
        if writer not in walk.broken:
            walk.broken.add(writer)
            walk.found(f"row {writer}:{sequence}", f"missing: cut off, though checkpoint {number} has it")
    if walk.findings and archived != [await source.archived() for source in sources]:
        raise Conflict("an archive was made meanwhile: verify again")
    beyond = sum(max(0, head.sequence - walk.proven.get(writer, 0)) for writer, head in walk.reached.items())
    return Verdict(
        walk.findings, walk.seen["rows"], len(walk.reached), len(known), walk.seen["erased"], beyond, unknown_keys
    )


def _check_all_checkpoints(
    walk: _Walk, found: Sequence[Checkpoint], keys: CheckpointKeys, copies: Sequence[Checkpoint], from_start: bool
) -> tuple[Mapping[int, Checkpoint], int]:
    """Those that there are, by number, and how many of unknown keys; ``walk`` learns what they promise of rows.

    Args:
        from_start: Whether nothing had been archived before what ``found`` is about.
    """
    known = _check_checkpoints(walk, found)
    _check_copies(walk, known, copies)
    walk.older_keys = _older_keys(list(known.values()), keys)
    unknown_keys = _check_signatures(walk, list(known.values()), keys)
    begun = next(iter(known.values())).archived if known and not from_start else {}
    walk.reached.update(begun)
    walk.proven.update({writer: head.sequence for writer, head in begun.items()})
    for checkpoint in known.values():
        for writer, head in checkpoint.heads.items():
            if head.sequence > begun.get(writer, Head(0, GENESIS)).sequence:
                walk.promised[writer, head.sequence] = (head.row_hash, checkpoint.number)
                walk.proven[writer] = head.sequence
    return known, unknown_keys


def _check_checkpoints(walk: _Walk, found: Sequence[Checkpoint]) -> dict[int, Checkpoint]:
    """Those that there are, by number: the one that closes an archive is also the first one behind it."""
    known: dict[int, Checkpoint] = {}
    before: Checkpoint | None = None
    for checkpoint in sorted(found, key=lambda one: one.number):
        where = f"checkpoint {checkpoint.number}"
        if before is not None and before.number == checkpoint.number:
            if before != checkpoint:
                walk.found(where, "there are two of this number")
            continue
        if before is None and checkpoint.number != 1 and not checkpoint.complete:
            walk.found(where, "the checkpoints before it are missing, and it closes no archive")
        if before is None and checkpoint.number == 1 and checkpoint.prev_hash != GENESIS:
            walk.found(where, "altered: it is the first, and says that there was one before")
        if before is not None and checkpoint.number != before.number + 1:
            walk.found(f"checkpoint {before.number + 1}", "missing")
        elif before is not None and checkpoint.prev_hash != checkpoint_hash(before):
            walk.found(where, "does not follow the one before: one of the two was altered")
        if before is not None:
            _check_progress(walk, where, before.archived, checkpoint.archived)
        known[checkpoint.number] = before = checkpoint
    return known


def _check_progress(walk: _Walk, where: str, before: Heads, after: Heads) -> None:
    for writer, head in after.items():
        if writer in before and head.sequence < before[writer].sequence:
            walk.found(where, f"the archive of {writer} went back")


def _older_keys(checkpoints: Sequence[Checkpoint], keys: CheckpointKeys) -> frozenset[str]:
    """Those that signed before the first of ours did, which holds that they were ours once."""
    older = set[str]()
    for checkpoint in checkpoints:
        if keys.verifies(checkpoint):
            return frozenset(older)
        older.add(checkpoint.key)
    return frozenset()


def _check_signatures(walk: _Walk, checkpoints: Sequence[Checkpoint], keys: CheckpointKeys) -> int:
    """A checkpoint whose key is gone is held by a later one of ours, which holds its hash. Only by such a one: what is
    slipped in behind one of ours, ours will hold as well."""
    unknown, vouched = 0, False
    for checkpoint in reversed(checkpoints):
        verifies = keys.verifies(checkpoint)
        if verifies:
            vouched = True
        elif verifies is None and vouched and checkpoint.key in walk.older_keys:
            unknown += 1
        else:
            what = "the signature is not valid" if verifies is False else "signed by a key that is none of ours"
            walk.found(f"checkpoint {checkpoint.number}", what)
    return unknown


def _check_copies(walk: _Walk, known: Mapping[int, Checkpoint], copies: Sequence[Checkpoint]) -> None:
    for copy in copies:
        where, held = f"checkpoint {copy.number}", known.get(copy.number)
        if held is None and (not known or copy.number > min(known)):
            walk.found(where, "missing: cut off, though there is a copy of it")
        elif held is not None and checkpoint_hash(held) != checkpoint_hash(copy):
            walk.found(where, "differs from its copy")


def _check_claims(walk: _Walk, claimed: Mapping[str, int]) -> None:
    """What counts as checkpointed is passed over as the next checkpoint is made."""
    for writer, sequence in sorted(claimed.items()):
        if sequence > walk.proven.get(writer, 0):
            walk.found(f"row {writer}:{sequence}", "counts as checkpointed, and no checkpoint has it")


def _check_row(walk: _Walk, row: AuditRow) -> None:
    walk.seen["rows"] += 1
    head = walk.reached.get(row.writer, Head(0, GENESIS))
    promised = walk.promised.pop((row.writer, row.sequence), None)
    if row.writer in walk.broken:
        return
    what = _broken(row, head, promised)
    if what is not None:
        walk.broken.add(row.writer)
        missing = row.sequence > head.sequence + 1
        walk.found(f"row {row.writer}:{head.sequence + 1 if missing else row.sequence}", what)
        return
    if row.erased:
        walk.seen["erased"] += 1
        walk.emptied[row.writer, row.sequence] = emptied_fields(row)
    walk.reached[row.writer] = Head(row.sequence, row.row_hash)


def _broken(row: AuditRow, head: Head, promised: tuple[str, int] | None) -> str | None:
    if row.sequence > head.sequence + 1:
        return f"missing: the next one that there is has the number {row.sequence}"
    if row.sequence <= head.sequence:
        return "out of order: there is a row of this number already"
    if not holds(row):
        return f"altered: it reads {row.event} of {row.occurred_at}"
    if row.prev_hash != head.row_hash:
        return "does not follow the row before: one of the two was replaced or moved"
    if promised is not None and promised[0] != row.row_hash:
        return f"replaced: checkpoint {promised[1]} has another one"
    return None


def _check_erasures(walk: _Walk, named: Mapping[tuple[str, int], frozenset[str]]) -> None:
    for (writer, sequence), fields in walk.emptied.items():
        if not fields <= named.get((writer, sequence), frozenset()):
            walk.found(f"row {writer}:{sequence}", "emptied, and no erasure says so")


def _check_ends(walk: _Walk, at_least: Heads, at_most: Heads) -> None:
    if not at_most:
        return
    _check_none_inserted(walk, at_most)
    for writer, head in at_least.items():
        reached = walk.reached.get(writer)
        if writer not in walk.broken and (reached is None or reached.sequence < head.sequence):
            walk.broken.add(writer)
            first = reached.sequence + 1 if reached else 1
            walk.found(f"row {writer}:{first}", "missing: its writer has come further")


def _check_none_inserted(walk: _Walk, ends: Heads) -> None:
    for writer, head in walk.reached.items():
        if writer not in walk.broken and (writer not in ends or head.sequence > ends[writer].sequence):
            walk.broken.add(writer)
            last = ends[writer].sequence if writer in ends else 0
            walk.found(f"row {writer}:{last + 1}", "inserted: its writer has not come that far")
