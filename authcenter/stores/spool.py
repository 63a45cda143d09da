"""Audit rows on this machine's disk while the database is gone: one file a writer, JSON Lines, fsynced.

What ``append`` has returned for survives the death of the process; the machine's disk is all it depends on. A file that
nobody holds is what a process that died has left, for any other process that shares the directory.
"""

import fcntl
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, Self

from authcenter.stores.ports.audit import AuditRow, read_row

MOST_BYTES = 256 * 1024 * 1024
_SUFFIX = ".jsonl"
_STEP_BACK = 64 * 1024


class SpoolFull(Exception):
    """There is no room for more rows, or the disk does not take them."""


class Spool:
    """One writer's file. All of it blocks, and none of it may be done by two threads at once."""

    def __init__(self, directory: Path, writer: str, most_bytes: int = MOST_BYTES) -> None:
        """Nothing is made on disk before the first row is."""
        self._path, self._most_bytes = directory / f"{writer}{_SUFFIX}", most_bytes
        self._file: BinaryIO | None = None
        self._drained = self._reached = 0

    @classmethod
    def adopt(cls, path: Path) -> Self | None:
        """What another process has left; None: it is alive, or somebody else was faster."""
        spool = cls(path.parent, path.name.removesuffix(_SUFFIX))
        try:
            file = path.open("rb+")
        except FileNotFoundError:
            return None
        if not _lock(file) or not path.exists():
            file.close()
            return None
        spool._file = file
        _cut_torn_tail(file)
        return spool

    @property
    def empty(self) -> bool:
        """Whether all that was appended is drained."""
        return self._file is None or self._drained >= self._size()

    def append(self, rows: Sequence[AuditRow]) -> None:
        """Keep rows. Raises ``SpoolFull``: none was kept."""
        written = "".join(json.dumps(asdict(row), separators=(",", ":")) + "\n" for row in rows).encode()
        try:
            file = self._file = self._file or self._create()
            size = self._size()
            if size + len(written) > self._most_bytes:
                raise SpoolFull(f"{self._path.name}: {size} bytes")
            try:
                file.seek(size)
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                os.ftruncate(file.fileno(), size)
                raise
        except OSError as failure:
            raise SpoolFull(f"{self._path.name}: {failure.strerror}") from failure

    def next_rows(self, most: int) -> list[AuditRow]:
        """The oldest rows that are not drained. What a process was writing as it died is none: it was never kept.

        Raises:
            OSError, TypeError, ValueError: The next line is no row that this version knows, or cannot be read.
        """
        if self._file is None:
            return []
        self._file.seek(self._drained)
        rows, self._reached = list[AuditRow](), self._drained
        while len(rows) < most and (line := self._file.readline()).endswith(b"\n"):
            try:
                rows.append(read_row(json.loads(line)))
            except (TypeError, ValueError):
                if rows:
                    break
                raise
            self._reached += len(line)
        return rows

    def drained(self) -> None:
        """The rows of the last ``next_rows`` are elsewhere. Once all are, the file shrinks to nothing."""
        self._drained = self._reached
        if self._file is not None and self.empty:
            os.ftruncate(self._file.fileno(), 0)
            self._drained = 0

    def close(self) -> None:
        """Where it is empty, the file goes."""
        if self._file is not None:
            if self.empty:
                self._path.unlink(missing_ok=True)
            self._file.close()
            self._file = None

    def _create(self) -> BinaryIO:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        file = os.fdopen(descriptor, "rb+")
        if not _lock(file):
            file.close()
            raise OSError("the file is another process's")
        # The name must survive, too.
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return file

    def _size(self) -> int:
        return os.fstat(self._file.fileno()).st_size if self._file else 0


def left_behind(directory: Path) -> list[Path]:
    """Every file of the directory, whoever writes it."""
    return sorted(directory.glob(f"*{_SUFFIX}"))


def _cut_torn_tail(file: BinaryIO) -> None:
    """What a process was writing as it died: it was never kept, and would keep the file from ever being empty."""
    end = size = os.fstat(file.fileno()).st_size
    while end > 0:
        begin = max(0, end - _STEP_BACK)
        file.seek(begin)
        last = file.read(end - begin).rfind(b"\n")
        if last >= 0:
            end = begin + last + 1
            break
        end = begin
    if end < size:
        os.ftruncate(file.fileno(), end)


def _lock(file: BinaryIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
