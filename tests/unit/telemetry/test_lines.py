"""Several writers on one pipe: every line arrives whole."""

import json
import os
import threading
from select import PIPE_BUF

from authcenter.telemetry.lines import WholeLines

_WRITERS, _BATCHES, _LINES = 4, 20, 100


def test_lines_of_several_writers_on_a_full_pipe_stay_whole() -> None:
    reading, writing = os.pipe()

    def write(number: int) -> None:
        stream = WholeLines(writing)
        for batch in range(_BATCHES):
            lines = [
                json.dumps({"writer": number, "line": batch * _LINES + one, "text": "ä" * 90}) for one in range(_LINES)
            ]
            stream.write("\n".join(lines) + "\n")

    writers = [threading.Thread(target=write, args=(number,)) for number in range(_WRITERS)]
    for writer in writers:
        writer.start()
    seen: dict[int, list[int]] = {number: [] for number in range(_WRITERS)}
    with os.fdopen(reading, encoding="utf-8") as lines:
        for _ in range(_WRITERS * _BATCHES * _LINES):
            line = json.loads(lines.readline())
            seen[line["writer"]].append(line["line"])
        for writer in writers:
            writer.join()
        os.close(writing)
    assert all(lines_of_one == list(range(_BATCHES * _LINES)) for lines_of_one in seen.values())


def test_a_line_longer_than_a_pipe_takes_at_once_arrives_too() -> None:
    reading, writing = os.pipe()
    text = "x" * (3 * PIPE_BUF)
    WholeLines(writing).write(f"one\n{text}\ntwo\n")
    os.close(writing)
    with os.fdopen(reading) as lines:
        assert lines.read().splitlines() == ["one", text, "two"]
