"""Lines that several processes write to one stream without tearing each other's.

A pipe takes up to ``PIPE_BUF`` bytes at once or not at all (POSIX ``write``), a file takes any number. So what is held
together is written in pieces of whole lines, each by one call.
"""

import os
from collections.abc import Iterator
from io import FileIO, TextIOWrapper
from select import PIPE_BUF


class WholeLines(TextIOWrapper):
    """Writes whole lines to a descriptor, unbuffered.

    A line that is longer than ``PIPE_BUF`` (a traceback) is one call too; only a pipe that is full may cut that.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(FileIO(descriptor, "w", closefd=False), encoding="utf-8")

    def write(self, text: str) -> int:
        """Write ``text``, which ends with a line's end."""
        for piece in _pieces(text.encode(errors="backslashreplace")):
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(self.fileno(), rest) :]
        return len(text)


def _pieces(content: bytes) -> Iterator[bytes]:
    piece = b""
    for line in content.splitlines(keepends=True):
        if piece and len(piece) + len(line) > PIPE_BUF:
            yield piece
            piece = b""
        piece += line
    if piece:
        yield piece
