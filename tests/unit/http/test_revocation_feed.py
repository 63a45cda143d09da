"""The revocation feed's endpoint: who may ask, in which ways, and how it ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from authcenter.core.base64url import decode
from authcenter.http import revocation_feed
from authcenter.sdk.event_stream import ServerSentEvent, read_events
from authcenter.sdk.feed_document import CONTENT_TYPE, EVENT_STREAM, PATH, DocumentKind
from authcenter.sdk.feed_reading import FeedDocument, read_document
from tests.unit.http.requests import basic
from tests.unit.sdk.known_keys import RingKeys
from tests.workbench import API, ISSUER, Workbench

UNKNOWN = "8." + "a" * 12 + ".1.1"


async def read(bench: Workbench, body: bytes) -> FeedDocument:
    signed, _, packed = body.partition(b"\n")
    return await read_document(signed.decode(), packed, ISSUER, RingKeys(bench))


async def asked(bench: Workbench, web: aiohttp.ClientSession, **query: str) -> FeedDocument:
    async with web.get(PATH, params=query, headers=basic("app", bench.secrets["app"])) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == CONTENT_TYPE
        return await read(bench, await response.read())


@asynccontextmanager
async def listening(
    bench: Workbench, web: aiohttp.ClientSession, cursor: str | None = None, **headers: str
) -> AsyncIterator[AsyncIterator[ServerSentEvent]]:
    fields = {**basic("app", bench.secrets["app"]), "Accept": EVENT_STREAM, **headers}
    query = {} if cursor is None else {"after": cursor}
    async with web.get(PATH, params=query, headers=fields) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == EVENT_STREAM
        assert response.headers["Cache-Control"] == "no-store, no-transform"
        assert "X-Request-Id" in response.headers
        yield read_events(response.content.iter_any(), 1 << 20)


async def document(bench: Workbench, event: ServerSentEvent) -> FeedDocument:
    signed, packed = event.data
    read = await read_document(signed, decode(packed), ISSUER, RingKeys(bench))
    assert event.kind == read.kind
    return read


async def test_a_resource_server_gets_the_snapshot_and_the_delta(bench: Workbench, web: aiohttp.ClientSession) -> None:
    snapshot = await asked(bench, web)
    assert (snapshot.kind, len(snapshot.entries)) == (DocumentKind.SNAPSHOT, 0)
    await bench.revoke((await bench.issue()).access)
    delta = await asked(bench, web, after=snapshot.cursor)
    assert (delta.kind, delta.after, len(delta.entries)) == (DocumentKind.DELTA, snapshot.cursor, 1)
    assert len((await asked(bench, web, after=delta.cursor)).entries) == 0


CALLERS = [
    pytest.param("", "", 401, id="nobody"),
    pytest.param("app", "wrong", 401, id="wrong secret"),
    pytest.param("nobody", "x", 401, id="unknown client"),
    pytest.param("other", None, 403, id="serves nothing"),
    pytest.param("public", "", 401, id="public client"),
]


@pytest.mark.parametrize("accept", [CONTENT_TYPE, EVENT_STREAM])
@pytest.mark.parametrize(("client", "secret", "status"), CALLERS)
async def test_nobody_else_does(
    bench: Workbench, web: aiohttp.ClientSession, client: str, secret: str | None, status: int, accept: str
) -> None:
    await bench.client("public", auth_methods=frozenset({"none"}), serves=frozenset({API}), grants=frozenset())
    headers = basic(client, bench.secrets[client] if secret is None else secret) if client else {}
    async with web.get(PATH, headers={**headers, "Accept": accept}) as response:
        assert response.status == status
        assert ("WWW-Authenticate" in response.headers) == (status == 401)


GARBAGE = [
    pytest.param({"after": "x"}, id="cursor"),
    pytest.param({"after": UNKNOWN, "wait": "31"}, id="too long a wait"),
    pytest.param({"after": UNKNOWN, "wait": "-1"}, id="negative wait"),
    pytest.param({"after": UNKNOWN, "wait": "0000000000009"}, id="wait of many digits"),
]


@pytest.mark.parametrize("query", GARBAGE)
async def test_garbage_is_refused(bench: Workbench, web: aiohttp.ClientSession, query: dict[str, str]) -> None:
    async with web.get(PATH, params=query, headers=basic("app", bench.secrets["app"])) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_request"
    bench.request_log.flush()
    assert '"rule":"feed_cursor_malformed"' in bench.lines.getvalue()


async def test_a_cursor_of_an_unknown_instance_is_answered_with_a_reset(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    assert (await asked(bench, web, after=UNKNOWN, wait="30")).kind is DocumentKind.RESET
    async with listening(bench, web, UNKNOWN) as events:
        assert [(await document(bench, event)).kind async for event in events] == [DocumentKind.RESET]


async def test_an_unchanged_snapshot_is_not_sent_again(bench: Workbench, web: aiohttp.ClientSession) -> None:
    auth = basic("app", bench.secrets["app"])
    async with web.get(PATH, headers=auth) as response:
        etag = response.headers["ETag"]
        assert response.headers["Cache-Control"] == "private, no-cache"
    async with web.get(PATH, headers={**auth, "If-None-Match": f'"x", {etag}'}) as response:
        assert (response.status, await response.read(), response.headers["ETag"]) == (304, b"", etag)
    await bench.revoke((await bench.issue()).access)
    bench.clock.advance(5)
    async with web.get(PATH, headers={**auth, "If-None-Match": etag}) as response:
        assert response.status == 200
        assert len((await read(bench, await response.read())).entries) == 1
    async with web.head(PATH, headers=auth) as response:
        assert response.status == 200
        assert int(response.headers["Content-Length"]) > 100


async def test_a_long_poll_is_answered_by_the_revocation(bench: Workbench, web: aiohttp.ClientSession) -> None:
    cursor = (await asked(bench, web)).cursor
    waiting = asyncio.create_task(asked(bench, web, after=cursor, wait="30"))
    await until_followed(bench, 1)
    assert not waiting.done()
    await bench.revoke((await bench.issue()).access)
    assert len((await waiting).entries) == 1
    await until_followed(bench, 0)


async def test_a_long_poll_ends_by_itself(bench: Workbench, web: aiohttp.ClientSession) -> None:
    cursor = (await asked(bench, web)).cursor
    delta = await asked(bench, web, after=cursor, wait="1")
    assert (delta.kind, len(delta.entries)) == (DocumentKind.DELTA, 0)


async def test_a_stream_tells_as_it_happens(bench: Workbench, web: aiohttp.ClientSession) -> None:
    cursor = (await asked(bench, web)).cursor
    async with listening(bench, web, cursor) as events:
        first = await document(bench, await anext(events))
        assert (first.kind, first.after) == (DocumentKind.DELTA, cursor)
        at = first.cursor
        for _ in range(3):
            await bench.revoke((await bench.issue()).access)
            told = 0
            while not told:
                delta = await document(bench, await anext(events))
                assert delta.after == at
                at, told = delta.cursor, len(delta.entries)
            assert told == 1


async def test_a_stream_says_that_it_is_alive(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with listening(bench, web) as events:
        documents = [await document(bench, await anext(events)) for _ in range(3)]
    assert {(told.kind, len(told.entries)) for told in documents} == {(DocumentKind.DELTA, 0)}


async def test_who_comes_back_says_in_the_header_where_he_was(bench: Workbench, web: aiohttp.ClientSession) -> None:
    began = (await asked(bench, web)).cursor
    await bench.revoke((await bench.issue()).access)
    was = (await asked(bench, web, after=began)).cursor
    async with listening(bench, web, began, **{"Last-Event-ID": was}) as events:
        told = await document(bench, await anext(events))
        assert (told.after, len(told.entries)) == (was, 0)


async def test_a_process_that_leaves_ends_streams_and_waits(bench: Workbench, web: aiohttp.ClientSession) -> None:
    cursor = (await asked(bench, web)).cursor
    waiting = asyncio.create_task(asked(bench, web, after=cursor, wait="30"))
    async with listening(bench, web, cursor) as events:
        await anext(events)
        await until_followed(bench, 2)
        bench.service.feed.end()
        assert (await waiting).kind is DocumentKind.DELTA
        # What is told last, and then the end.
        assert len([event async for event in events]) <= 2
    await until_followed(bench, 0)


async def test_a_stream_ends_after_a_while_so_that_its_caller_is_asked_again(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    async with listening(bench, web) as events:
        await anext(events)
        bench.clock.advance(300)
        assert len([event async for event in events]) <= 2


async def test_a_client_may_follow_only_so_often(
    bench: Workbench, web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_feed, "MOST_FOLLOWING", 1)
    cursor = (await asked(bench, web)).cursor
    auth = basic("app", bench.secrets["app"])
    async with listening(bench, web, cursor) as events:
        await anext(events)
        for fields, query in (({"Accept": EVENT_STREAM}, {}), ({}, {"after": cursor, "wait": "30"})):
            async with web.get(PATH, params=query, headers={**auth, **fields}) as response:
                assert response.status == 429
                assert int(response.headers["Retry-After"]) > 0
        assert (await asked(bench, web)).kind is DocumentKind.SNAPSHOT
        bench.service.feed.end()
    await until_followed(bench, 0)


async def test_a_large_snapshot_is_sent_in_pieces(
    bench: Workbench, web: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_feed, "_PIECE_BYTES", 10)
    await bench.revoke((await bench.issue()).access)
    await bench.revoke((await bench.issue()).access)
    assert len((await asked(bench, web)).entries) == 2
    async with web.head(PATH, headers=basic("app", bench.secrets["app"])) as head:
        length = head.headers["Content-Length"]
    async with web.get(PATH, headers=basic("app", bench.secrets["app"])) as response:
        assert response.headers["Content-Length"] == length
        assert len(await response.read()) == int(length)
    await until_followed(bench, 0)


class StuckWriter:
    """A connection whose other end reads nothing."""

    def __init__(self) -> None:
        self.transport = self
        self.aborted = False

    async def write(self, _: bytes) -> None:
        await asyncio.Event().wait()

    def abort(self) -> None:
        self.aborted = True


async def test_who_does_not_read_is_cut_off(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation_feed, "_WRITE_SECONDS", 0.05)
    endpoint, writer = endpoint_of(bench), StuckWriter()
    caller = await bench.core.clients.get("app")
    with pytest.raises(ConnectionResetError):
        await endpoint._events(writer, bench.service.feed.here(), caller)
    assert writer.aborted
    assert not endpoint._following


async def test_before_the_first_load_it_says_to_come_again(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.core.revocations.loaded = False
    for accept in (CONTENT_TYPE, EVENT_STREAM):
        async with web.get(PATH, headers={**basic("app", bench.secrets["app"]), "Accept": accept}) as response:
            assert response.status == 503
            assert "Retry-After" in response.headers


async def until_followed(bench: Workbench, count: int) -> None:
    """Until so many streams and waits are open."""
    endpoint = endpoint_of(bench)
    async with asyncio.timeout(60):
        while endpoint._following["app"] != count:
            await asyncio.sleep(0.01)


def endpoint_of(bench: Workbench) -> Any:
    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    return frame.router.find(PATH).handlers["GET"].__self__
