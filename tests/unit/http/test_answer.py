"""Answers on the wire: length, connection, date, and no line that somebody else wrote."""

import asyncio
from email.utils import parsedate_to_datetime

import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from authcenter.http.responses import Answer, header_lines, no_store

ANSWERS = [
    pytest.param("GET", "1.1", no_store(b"{}"), {"Content-Length": "2"}, b"{}", id="body"),
    pytest.param("HEAD", "1.1", no_store(b"{}"), {"Content-Length": "2"}, b"", id="head of it"),
    pytest.param("GET", "1.1", no_store(b""), {"Content-Length": "0"}, b"", id="empty body"),
    pytest.param("GET", "1.1", Answer(b"x", 304, headers={"ETag": '"e"'}), {"ETag": '"e"'}, b"", id="not modified"),
    pytest.param("GET", "1.1", Answer(status=204), {}, b"", id="no content"),
    pytest.param("GET", "1.0", no_store(b"{}"), {"Content-Length": "2", "Connection": "close"}, b"{}", id="1.0"),
]


async def exchange(answer: Answer, request: str) -> tuple[str, dict[str, str], bytes]:
    """First line, headers and body. Where the connection stays, a second request closes it."""
    stays = not request.endswith("HTTP/1.0\r\n")

    async def handler(asked: web.BaseRequest) -> Answer:
        if asked.path == "/":
            return answer
        last = Answer(b"last")
        last.force_close()
        return last

    async with RawTestServer(handler) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(f"{request}Host: a\r\n\r\n".encode())
        if stays:
            writer.write(b"GET /last HTTP/1.1\r\nHost: a\r\n\r\n")
        received = await reader.read()
        writer.close()
    received, closing, _ = received.partition(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n")
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert len(headers) == len(lines), "a header stands twice"
    assert bool(closing) == stays
    return first, headers, body


@pytest.mark.parametrize(("method", "version", "answer", "expected", "body"), ANSWERS)
async def test_an_answer_says_how_long_it_is_and_whether_the_connection_stays(
    method: str, version: str, answer: Answer, expected: dict[str, str], body: bytes
) -> None:
    first, headers, got = await exchange(answer, f"{method} / HTTP/{version}\r\n")
    assert first == f"HTTP/1.1 {answer.status} {answer.reason}"
    framing = {"Content-Length", "Connection", "Transfer-Encoding", "ETag"}
    assert {name: value for name, value in headers.items() if name in framing} == expected
    assert parsedate_to_datetime(headers["Date"]).tzinfo is not None
    assert got == body


async def test_a_client_of_1_0_that_asks_to_stay_may() -> None:
    _, headers, _ = await exchange(no_store(b"{}"), "GET / HTTP/1.0\r\nConnection: keep-alive\r\n")
    assert headers["Connection"] == "keep-alive"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: b", "a\nb", "a\0b", "a\x7fb"])
def test_a_header_with_a_control_character_is_not_written(value: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        header_lines({"X-Test": value})
