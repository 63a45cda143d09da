"""The follower of the revocation feed, against the real service over real sockets."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web as server

from authcenter.core.client import OnOutage
from authcenter.core.errors import RevocationsUnknown
from authcenter.core.token import AccessToken
from authcenter.http import revocation_feed
from authcenter.http.responses import Answer
from authcenter.http.server import Listener, OpenListener
from authcenter.sdk import feed as module
from authcenter.sdk.feed import FeedObserver, RevocationFeed, Way
from authcenter.sdk.feed_document import PATH, DocumentKind
from authcenter.sdk.feed_reading import FeedDocument
from tests.unit.sdk.known_keys import RingKeys
from tests.workbench import ISSUER, Workbench

WAYS = pytest.mark.parametrize("way", list(Way))


class Observed(FeedObserver):
    """Remembers all it is told."""

    def __init__(self) -> None:
        self.documents: list[FeedDocument] = []
        self.problems: list[str] = []

    def took(self, document: FeedDocument, delay: float) -> None:
        assert delay >= 0
        self.documents.append(document)

    def failed(self, problem: str) -> None:
        self.problems.append(problem)


class Place:
    """An address at which the service is to be found, or not."""

    def __init__(self, bench: Workbench) -> None:
        self.bench, self.observed = bench, Observed()
        self.open: OpenListener | None = None
        self.port = 0
        self.answer: Callable[[server.BaseRequest], Any] | None = None

    async def serve(self) -> None:
        self.open = await Listener(self._handle, "127.0.0.1", self.port).open()
        self.port = self.open.port

    async def go(self) -> None:
        """Be gone, at once: connections break."""
        if self.open is not None:
            for connection in self.open.runner.server.connections if self.open.runner.server else []:
                connection.force_close()
                if connection.transport is not None:
                    connection.transport.abort()
            self.bench.service.feed.end()
            await self.open.runner.cleanup()
            self.bench.service.feed.ended = False
            self.open = None

    def follower(self, **options: Any) -> RevocationFeed:
        bench = self.bench
        given = {
            "url": f"http://127.0.0.1:{self.port}{PATH}",
            "clock": bench.clock,
            "observer": self.observed,
            **options,
        }
        keys = given.pop("keys", None) or RingKeys(bench)
        secret = given.pop("secret", bench.secrets["app"])
        client = given.pop("client", "app")
        return RevocationFeed(ISSUER, keys, client_id=client, client_secret=secret, **given)

    async def _handle(self, request: server.BaseRequest) -> Any:
        if self.answer is not None and (answer := self.answer(request)) is not None:
            return answer
        return await self.bench.service.public(request)


@pytest.fixture
async def place(bench: Workbench) -> AsyncIterator[Place]:
    made = Place(bench)
    await made.serve()
    yield made
    await made.go()


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not holds():
            await asyncio.sleep(0.01)


async def issued(bench: Workbench) -> tuple[str, AccessToken]:
    access = (await bench.issue()).access
    return access, await bench.core.verifier.read_issued(access)


@WAYS
async def test_what_is_revoked_is_refused(bench: Workbench, place: Place, way: Way) -> None:
    before, first = await issued(bench)
    access, second = await issued(bench)
    await bench.revoke(before)
    async with place.follower(way=way) as feed:
        assert await feed.wait_loaded(60)
        assert feed.refusal(first)
        assert not feed.refusal(second)
        version = feed.version
        await bench.revoke(access)
        await until(lambda: feed.refusal(second))
        assert feed.version != version
        assert feed.status.way is way
        assert (feed.status.loaded, feed.status.entries, feed.status.problem) == (True, 2, "")
    assert place.observed.problems == []


@WAYS
async def test_while_the_server_is_gone_what_is_known_counts_and_when_it_is_back_the_rest_arrives(
    bench: Workbench, place: Place, way: Way
) -> None:
    (before, first), (meanwhile, second), (_, third) = [await issued(bench) for _ in range(3)]
    await bench.revoke(before)
    async with place.follower(way=way) as feed:
        assert await feed.wait_loaded(60)
        await place.go()
        await bench.revoke(meanwhile)
        await until(lambda: feed.status.problem)
        assert feed.refusal(first)
        assert not feed.refusal(second)
        assert not feed.refusal(third)
        await place.serve()
        await until(lambda: feed.refusal(second))
        assert not feed.refusal(third)
        assert feed.status.problem == ""
    # It went on from where it was.
    assert [told.kind for told in place.observed.documents].count(DocumentKind.SNAPSHOT) == 1


@pytest.mark.parametrize(("minutes", "snapshots"), [(4, 1), (10, 2)], ids=["told what it missed", "told all anew"])
async def test_when_a_server_that_was_gone_for_minutes_starts_again_the_rest_arrives(
    bench: Workbench, place: Place, minutes: int, snapshots: int
) -> None:
    (before, first), (meanwhile, second), (_, third) = [await issued(bench) for _ in range(3)]
    await bench.revoke(before)
    async with place.follower() as feed:
        assert await feed.wait_loaded(60)
        await place.go()
        await bench.revoke(meanwhile)
        bench.clock.advance(minutes * 60)
        assert [bool(feed.refusal(token)) for token in (first, second, third)] == [True, False, False]
        # Another process on the same record: it remembers nothing of who followed the one before.
        bench.core = bench.another_core()
        bench.service = bench.another_service(bench.core)
        await bench.core.keys.reload()
        await bench.follow()
        await place.serve()
        await until(lambda: feed.refusal(second))
        assert [bool(feed.refusal(token)) for token in (first, second, third)] == [True, True, False]
    assert [told.kind for told in place.observed.documents].count(DocumentKind.SNAPSHOT) == snapshots


async def test_closed_refuses_before_the_first_snapshot_and_once_it_is_too_old(
    bench: Workbench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, token = await issued(bench)
    await place.go()
    async with place.follower(on_outage=OnOutage.CLOSED, max_staleness=3600) as feed:
        with pytest.raises(RevocationsUnknown):
            feed.refusal(token)
        assert feed.version is None
        assert not await feed.wait_loaded(0.05)
        await place.serve()
        assert await feed.wait_loaded(60)
        assert feed.refusal(token) is None
        assert feed.version is not None
        feed.max_staleness = -1
        with pytest.raises(RevocationsUnknown, match="old"):
            feed.refusal(token)
        assert feed.version is None


async def test_open_answers_before_the_first_snapshot_and_says_that_it_is_degraded(
    bench: Workbench, place: Place
) -> None:
    _, token = await issued(bench)
    await place.go()
    async with place.follower() as feed:
        assert feed.refusal(token) is None
        await until(lambda: place.observed.problems)
        assert feed.status.degraded
        assert not feed.status.loaded
        assert feed.status.staleness == float("inf")
        await place.serve()
        assert await feed.wait_loaded(60)
        assert feed.status.loaded


async def test_it_goes_on_when_a_stream_has_come_to_its_end(
    bench: Workbench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revocation_feed, "_STREAM_SECONDS", 0.0)
    access, token = await issued(bench)
    async with place.follower() as feed:
        assert await feed.wait_loaded(60)
        await until(lambda: len(place.observed.documents) > 3)
        await bench.revoke(access)
        await until(lambda: feed.refusal(token))
    assert place.observed.problems == []


async def test_told_to_begin_anew_it_takes_the_snapshot(bench: Workbench, place: Place) -> None:
    access, token = await issued(bench)
    await bench.revoke(access)
    async with place.follower() as feed:
        assert await feed.wait_loaded(60)
        await bench.core.revocations.poll(16)
        await until(lambda: [told.kind for told in place.observed.documents].count(DocumentKind.SNAPSHOT) == 2)
        assert feed.refusal(token)
    assert DocumentKind.RESET in [told.kind for told in place.observed.documents]


REFUSED = [
    pytest.param({"secret": "wrong"}, "401", id="wrong secret"),
    pytest.param({"client": "other"}, "403", id="serves nothing"),
]


@pytest.mark.parametrize(("options", "status"), REFUSED)
async def test_a_client_without_right_is_told_so(
    bench: Workbench, place: Place, options: dict[str, str], status: str
) -> None:
    if "secret" not in options:
        options = {**options, "secret": bench.secrets["other"]}
    async with place.follower(on_outage="closed", **options) as feed:
        await until(lambda: place.observed.problems)
        assert status in feed.status.problem
        assert feed.version is None


async def test_the_secret_goes_nowhere_in_the_clear(bench: Workbench, place: Place) -> None:
    for url in (f"http://auth.example{PATH}", "ftp://localhost/x", PATH):
        with pytest.raises(ValueError, match="not https"):
            place.follower(url=url)


async def test_a_forged_answer_is_not_taken(bench: Workbench, place: Place) -> None:
    access, token = await issued(bench)
    forged = iter([b"junk", b"a.b.c\n", b"x" * 100_000, (access + "\n").encode()])

    def answer(_: server.BaseRequest) -> server.Response | None:
        body = next(forged, None)
        return None if body is None else _plain(body)

    place.answer = answer
    async with place.follower(on_outage="closed", max_staleness=3600) as feed:
        assert await feed.wait_loaded(60)
        assert feed.refusal(token) is None
    assert len(place.observed.problems) == 4
    assert all(problem.startswith("rejected") for problem in place.observed.problems)


async def test_a_document_over_the_limit_is_not_read_to_its_end(bench: Workbench, place: Place) -> None:
    async with place.follower(most_bytes=100) as feed:
        await until(lambda: place.observed.problems)
        assert "over 100 bytes" in feed.status.problem
        assert not feed.status.loaded


async def test_a_redirect_is_not_followed(bench: Workbench, place: Place) -> None:
    place.answer = lambda _: _plain(b"", 307, Location=f"http://127.0.0.1:{place.port}/elsewhere")
    async with place.follower() as feed:
        await until(lambda: place.observed.problems)
        assert "307" in feed.status.problem


async def test_where_no_stream_gets_through_it_polls(bench: Workbench, place: Place) -> None:
    """A proxy that knows nothing of event streams answers with something else."""

    def answer(request: server.BaseRequest) -> Any:
        return _plain(b"") if request.headers["Accept"] == "text/event-stream" else None

    place.answer = answer
    access, token = await issued(bench)
    async with place.follower() as feed:
        assert await feed.wait_loaded(60)
        await until(lambda: feed.status.way is Way.POLL)
        await bench.revoke(access)
        await until(lambda: feed.refusal(token))


async def test_a_stream_that_is_held_up_is_given_up(
    bench: Workbench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authcenter.sdk.feed_requests.SILENT_SECONDS", 0.2)

    def answer(request: server.BaseRequest) -> Any:
        return _silent() if request.headers["Accept"] == "text/event-stream" else None

    place.answer = answer
    access, token = await issued(bench)
    async with place.follower() as feed:
        assert await feed.wait_loaded(60)
        await until(lambda: feed.status.way is Way.POLL)
        await bench.revoke(access)
        await until(lambda: feed.refusal(token))


async def test_after_a_while_it_tries_a_stream_again(
    bench: Workbench, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SECONDS_OF_POLLING", 0.0)
    refusals = iter([True])

    def answer(request: server.BaseRequest) -> Any:
        stream = request.headers["Accept"] == "text/event-stream"
        return _plain(b"") if stream and next(refusals, False) else None

    place.answer = answer
    async with place.follower() as feed:
        await until(lambda: len(place.observed.documents) >= 2)
        assert feed.status.way is Way.EVENTS
    assert len(place.observed.problems) == 1


async def test_without_the_keys_nothing_is_taken_until_they_are_there(bench: Workbench, place: Place) -> None:
    keys = RingKeys(bench, reachable=False)
    async with place.follower(keys=keys) as feed:
        await until(lambda: place.observed.problems)
        assert not feed.status.loaded
        keys.reachable = True
        assert await feed.wait_loaded(60)


async def test_it_leaves_nothing_running(bench: Workbench, place: Place) -> None:
    before = asyncio.all_tasks()
    async with place.follower() as feed:
        await feed.wait_loaded(60)
    bench.service.feed.end()
    await until(lambda: asyncio.all_tasks() <= before)


def _plain(body: bytes, status: int = 200, **headers: str) -> Any:

    return Answer(body, status, headers=headers)


def _silent() -> Any:

    async def stream(_: Any) -> None:
        await asyncio.sleep(2)

    return Answer(headers={"Content-Type": "text/event-stream"}, stream=stream)
