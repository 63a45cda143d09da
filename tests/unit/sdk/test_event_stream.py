"""Server-sent events are read however they are cut into chunks."""

import itertools
from collections.abc import AsyncIterator, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.sdk.event_stream import EventTooLarge, ServerSentEvent, read_events

STREAM = (
    b": hello\nretry: 1000\n\nid: 1\nevent: delta\ndata: one\ndata:two\n\n:\n\ndata: three\n\nevent: delta\ndata: cut"
)
EVENTS = [ServerSentEvent("delta", ("one", "two")), ServerSentEvent("message", ("three",))]


async def chunks(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(pieces: Iterable[bytes], most_bytes: int = 1000) -> list[ServerSentEvent]:
    return [event async for event in read_events(chunks(pieces), most_bytes)]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
async def test_events_in_chunks_of(size: int) -> None:
    assert await read([STREAM[at : at + size] for at in range(0, len(STREAM), size)]) == EVENTS


@given(st.lists(st.integers(0, len(STREAM)), max_size=10))
async def test_events_in_any_chunks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    assert await read([STREAM[start:end] for start, end in itertools.pairwise(edges)]) == EVENTS


async def test_an_endless_event_is_not_kept() -> None:
    with pytest.raises(EventTooLarge):
        await read([b"data: " + b"x" * 600, b"x" * 600])


async def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(ValueError, match="decode"):
        await read([b"data: \xff\n\n"])
