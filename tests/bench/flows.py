"""A load of whole authorization code flows, each timed as one: what wrk, which knows single requests, can not say."""

import asyncio
import time
from dataclasses import dataclass
from statistics import quantiles
from typing import Final

CONNECTIONS: Final = 32
_TIMEOUT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """Two requests: ``authorize`` with the cookies of a signed-in browser, and ``token`` for the code that answers it.

    Attributes:
        authorize: The whole request.
        token: The head of the other, without Content-Length; ``body``: its form, to which the code is appended.
    """

    port: int
    authorize: bytes
    token: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Flows:
    """What was seen: flows that came to their end, and those that did not."""

    done: int
    per_second: float
    p50_ms: float
    p99_ms: float
    failures: int


def drive_flows(flow: CodeFlow, *, seconds: float) -> Flows:
    """Run flow after flow over ``CONNECTIONS`` kept-alive connections for ``seconds``."""
    return asyncio.run(_drive(flow, seconds))


async def run_once(flow: CodeFlow) -> bytes:
    """The body of one token response.

    Raises:
        RuntimeError: Something else was answered.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
    try:
        return await _run(flow, reader, writer)
    finally:
        writer.close()


async def _drive(flow: CodeFlow, seconds: float) -> Flows:
    taken: list[float] = []
    failed = 0
    started = time.perf_counter()
    until = started + seconds

    async def one_browser() -> None:
        nonlocal failed
        reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
        while (began := time.perf_counter()) < until:
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    await _run(flow, reader, writer)
            except (RuntimeError, OSError, EOFError, TimeoutError):
                failed += 1
                writer.close()
                reader, writer = await asyncio.open_connection("127.0.0.1", flow.port)
            else:
                taken.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(one_browser() for _ in range(CONNECTIONS)))
    passed = time.perf_counter() - started
    hundredths = quantiles(taken, n=100) if len(taken) > 1 else [0.0] * 99
    return Flows(len(taken), len(taken) / passed, hundredths[49] * 1e3, hundredths[98] * 1e3, failed)


async def _run(flow: CodeFlow, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(flow.authorize)
    head, _ = await _answer(reader)
    _, found, rest = head.partition(b"code=")
    if not head.startswith(b"HTTP/1.1 303") or not found:
        raise RuntimeError(f"no code: {head[:300]!r}")
    body = flow.body + rest.partition(b"\r\n")[0].partition(b"&")[0]
    writer.write(b"%bContent-Length: %d\r\n\r\n%b" % (flow.token, len(body), body))
    head, answer = await _answer(reader)
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"no tokens: {answer[:300]!r}")
    return answer


async def _answer(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise RuntimeError(f"a length is missing: {head[:300]!r}")
    return head, await reader.readexactly(int(rest.partition(b"\r\n")[0]))
