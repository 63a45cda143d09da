"""Reading a file of lines of any length."""

import io

import pytest

from authcenter.cli.importing import read_lines
from authcenter.core.json_lines import MAX_LINE_BYTES, Problem, read_json_lines


def kinds(content: bytes) -> list[tuple[int, bool]]:
    """Line number and whether it holds an object, of each line that is not blank."""
    read = read_json_lines(read_lines(io.BytesIO(content)))
    return [(one.line, False) if isinstance(one, Problem) else (one.number, True) for one in read]


LONG = b"x" * (MAX_LINE_BYTES + 100)
FILES = [
    pytest.param(b"", [], id="empty"),
    pytest.param(b"{}", [(1, True)], id="no line end"),
    pytest.param(b"{}\r\n\n{}\n", [(1, True), (3, True)], id="line ends of all kinds"),
    pytest.param(b"\xef\xbb\xbf{}\n", [(1, True)], id="byte order mark"),
    pytest.param(b"\xff\n{}\n", [(1, False), (2, True)], id="not UTF-8"),
    pytest.param(LONG + b"\n{}\n", [(1, False), (2, True)], id="long line"),
    pytest.param(LONG * 50 + b"\n{}\n", [(1, False), (2, True)], id="line of many reads"),
    pytest.param(b"{}\n" + LONG, [(1, True), (2, False)], id="long line at the end"),
    pytest.param(b" " * (MAX_LINE_BYTES * 3) + b"{}\n{}", [(1, False), (2, True)], id="long blank line"),
    pytest.param(b"[" + b" " * (MAX_LINE_BYTES - 2) + b"]\n{}", [(1, False), (2, True)], id="longest line"),
    pytest.param(b"{" + b" " * (MAX_LINE_BYTES - 2) + b"}\r\n{}", [(1, True), (2, True)], id="longest object"),
    pytest.param(b"{" + b" " * (MAX_LINE_BYTES + 5) + b"}\n{}", [(1, False), (2, True)], id="end exactly at the cut"),
    pytest.param(b"{" + b" " * (MAX_LINE_BYTES + 6) + b"}\n{}", [(1, False), (2, True)], id="cut before the line end"),
]


@pytest.mark.parametrize(("content", "lines"), FILES)
def test_each_line_is_one_line(content: bytes, lines: list[tuple[int, bool]]) -> None:
    assert kinds(content) == lines
