"""A list of breached passwords that the operator supplies: sorted lines of upper-case SHA-1, as Have I Been Pwned's.

A line may go on after the digest (``:`` and a count). The file is opened for each question and read in some forty
places: it may be as large as it likes, and be replaced (by renaming) while the service runs. It is not mapped into
memory, since a file that is cut short under a mapping ends the process.
"""

import hashlib
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from authcenter.core.errors import StoreUnavailable

_DIGEST = re.compile(rb"[0-9A-Fa-f]{40}")
_MOST_OF_A_LINE = 128


@dataclass(frozen=True, slots=True)
class BreachedPasswords:
    """The file at ``path``."""

    path: Path

    def have(self, password: str) -> bool:
        """Whether the list has this password. Blocks for the time of the disk.

        Raises:
            StoreUnavailable: It cannot be read, or is no such list.
        """
        wanted = hashlib.sha1(unicodedata.normalize("NFC", password).encode(), usedforsecurity=False).hexdigest()
        try:
            return self._search(wanted.upper().encode())
        except OSError as problem:
            raise StoreUnavailable(f"the list of breached passwords: {problem.strerror}") from problem

    def _search(self, wanted: bytes) -> bool:
        """By halves: the first line that begins at or after ``low`` is the first that may be it."""
        file = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            low, high = 0, os.fstat(file).st_size
            while low < high:
                middle = (low + high) // 2
                start, line = self._line_from(file, middle)
                if line is None or start >= high:
                    high = middle
                elif line == wanted:
                    return True
                elif line < wanted:
                    low = start + len(wanted)
                else:
                    high = middle
            return False
        finally:
            os.close(file)

    def _line_from(self, file: int, place: int) -> tuple[int, bytes | None]:
        """The first line that begins at or after ``place``: where, and its digest. None: there is none."""
        # From the byte before, so that a line which begins at `place` is known to.
        before = max(0, place - 1)
        read = os.pread(file, _MOST_OF_A_LINE, before)
        skipped = 0 if place == 0 else read.find(b"\n") + 1
        if place and not skipped:
            if len(read) == _MOST_OF_A_LINE:
                raise StoreUnavailable("the list of breached passwords: a line is too long")
            return place, None
        digest = os.pread(file, 40, before + skipped)
        if not digest:
            return place, None
        if not _DIGEST.fullmatch(digest):
            raise StoreUnavailable("the list of breached passwords: a line does not begin with a SHA-1 digest")
        return before + skipped, digest.upper()
