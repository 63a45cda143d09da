"""Server-sent events (HTML Living Standard §9.2), as far as feeds of ours use them."""

from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass


class EventTooLarge(ValueError):
    """An event over the limit: whoever sends it is not who should."""


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event; ``data`` by line."""

    kind: str
    data: tuple[str, ...]


async def read_events(chunks: AsyncIterator[bytes], most_bytes: int) -> AsyncGenerator[ServerSentEvent, None]:
    """The events of a stream, until it ends. One that is broken off is none; comments are none either.

    Raises:
        EventTooLarge: One has over ``most_bytes``.
        ValueError: Not UTF-8.
    """
    buffered = bytearray()
    searched = 0
    async for chunk in chunks:
        buffered += chunk
        while (end := buffered.find(b"\n\n", searched)) >= 0:
            event = _parse(bytes(buffered[:end]))
            del buffered[: end + 2]
            searched = 0
            if event is not None:
                yield event
        # Looked through once, however many chunks an event comes in.
        searched = max(0, len(buffered) - 1)
        if len(buffered) > most_bytes:
            raise EventTooLarge(f"over {most_bytes} bytes")


def _parse(block: bytes) -> ServerSentEvent | None:
    kind, data = "message", []
    for line in block.decode().split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            kind = value
        elif name == "data":
            data.append(value)
    return ServerSentEvent(kind, tuple(data)) if data else None
