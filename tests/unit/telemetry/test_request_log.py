"""Request lines: gathered, in order, and written at once where something failed."""

import asyncio
import io
import json

import pytest

from authcenter.telemetry import request_log as module
from authcenter.telemetry.request_log import RequestLog


async def test_lines_are_gathered_and_written_soon() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    for number in range(3):
        log.write({"number": number, "text": 'quo"te\n\u00e9'}, urgent=False)
    assert stream.getvalue() == ""
    await asyncio.sleep(module._SECONDS_HELD * 2)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["number"] for line in lines] == [0, 1, 2]
    assert {line["text"] for line in lines} == {'quo"te\n\u00e9'}
    assert {line["event"] for line in lines} == {"request"}


async def test_a_failure_is_written_at_once_with_all_before_it() -> None:
    stream = io.StringIO()
    log = RequestLog(stream)
    log.write({"number": 0}, urgent=False)
    log.write({"number": 1}, urgent=True)
    assert len(stream.getvalue().splitlines()) == 2
    log.flush()
    assert len(stream.getvalue().splitlines()) == 2


async def test_no_more_are_held_than_memory_should_bear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 10)
    stream = io.StringIO()
    log = RequestLog(stream)
    for number in range(25):
        log.write({"number": number}, urgent=False)
    assert len(stream.getvalue().splitlines()) == 20
    log.flush()
    assert len(stream.getvalue().splitlines()) == 25
