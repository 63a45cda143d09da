"""Back-channel logout to a real server that refuses, stalls, breaks off, and comes back; over each database."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from ipaddress import ip_network
from typing import Any

import pytest
import structlog
from aiohttp import web
from structlog.testing import CapturingLogger

from authcenter.core.job import Job
from authcenter.stores.ports.remote import FetchFailed
from authcenter.stores.remote.fetch import GuardedFetch, Networks
from authcenter.telemetry.metrics import Metrics
from authcenter.workers.errands import Assignment, ErrandFailed, Persistence
from authcenter.workers.outbox import OutboxWorker
from tests.integration.stores.backends import Stores
from tests.integration.stores.conftest import (
    migrated_postgres,
    migrated_sqlite,
    postgres_server,
    processes,
    record_url,
    stores,
)

__all__ = ["migrated_postgres", "migrated_sqlite", "postgres_server", "processes", "record_url", "stores"]

LOOPBACK: Networks = (ip_network("127.0.0.0/8"),)
AT_ONCE = Persistence(attempts=9, first_delay=timedelta(0), time_limit=timedelta(minutes=2))


class Receiver:
    """A client's server. Each path answers in its own way; ``/moody`` as told."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, str]]] = []
        self.moods: list[str] = []
        self.url = ""
        self.leaving = asyncio.Event()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.got.append((request.path, form))
        mood = self.moods.pop(0) if request.path == "/moody" and self.moods else request.path[1:]
        if mood == "stall":
            await self.leaving.wait()
        if mood == "break" and request.transport is not None:
            request.transport.abort()
        if mood == "redirect":
            return web.Response(status=307, headers={"Location": self.url + "/elsewhere"})
        if mood == "endless":
            response = web.StreamResponse()
            await response.prepare(request)
            while not self.leaving.is_set():
                await response.write(b"x" * 65_536)
            return response
        return web.Response(status={"refuse": 500, "created": 204}.get(mood, 200))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    runner = web.ServerRunner(web.Server(made.answer), shutdown_timeout=0.1)  # type: ignore[arg-type]
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.leaving.set()
    await runner.cleanup()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/ok", 200), ("/created", 204), ("/refuse", 500), ("/redirect", 307), ("/endless", 200), ("/ok?x=1&y=%2F", 200)],
)
async def test_the_status_is_all_that_is_heard(receiver: Receiver, path: str, status: int) -> None:
    form = {"logout_token": "a.b.c", "ü": "&="}
    assert await GuardedFetch(lambda: LOOPBACK, seconds=60).post(receiver.url + path, form) == status
    assert receiver.got == [(path.partition("?")[0], form)]


@pytest.mark.parametrize("path", ["/stall", "/break"])
async def test_who_does_not_answer_is_not_waited_for(receiver: Receiver, path: str) -> None:
    with pytest.raises(FetchFailed):
        await GuardedFetch(lambda: LOOPBACK, seconds=1).post(receiver.url + path, {})


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        pytest.param("http://127.0.0.1:{}/", (), id="an address"),
        pytest.param("http://localhost:{}/", (), id="a name"),
        pytest.param("http://[::ffff:127.0.0.1]:{}/", (), id="IPv4 in IPv6"),
        pytest.param("http://2130706433:{}/", (), id="a number"),
        pytest.param("http://0.0.0.0:{}/", (), id="any address"),
        pytest.param("https://127.0.0.1:{}/", (), id="over TLS"),
        pytest.param("http://127.0.0.1:{}/", (ip_network("10.0.0.0/8"),), id="another network is allowed"),
        pytest.param("http://u:p@127.0.0.1:{}/", LOOPBACK, id="a password in the URL"),
        pytest.param("ftp://127.0.0.1:{}/", LOOPBACK, id="another scheme"),
        pytest.param("/path", LOOPBACK, id="no host"),
        pytest.param("http://[::1", LOOPBACK, id="no URL"),
    ],
)
async def test_what_is_not_allowed_is_not_connected_to(receiver: Receiver, url: str, allowed: Networks) -> None:
    port = receiver.url.rpartition(":")[2]
    with pytest.raises(FetchFailed) as refused:
        await GuardedFetch(lambda: allowed, seconds=60).post(url.format(port), {"secret": "s3cret"})
    assert "s3cret" not in str(refused.value)
    assert receiver.got == []


class Posting:
    """Posts a job's payload, as back-channel logout does."""

    def __init__(self, poster: GuardedFetch) -> None:
        self.poster = poster

    async def act(self, payload: Mapping[str, Any]) -> None:
        try:
            status = await self.poster.post(payload["url"], {"n": str(payload["n"])})
        except FetchFailed as failure:
            raise ErrandFailed(str(failure)) from failure
        if status >= 300:
            raise ErrandFailed(f"status {status}")


def worker(stores: Stores, metrics: Metrics, seconds: float) -> OutboxWorker:
    return OutboxWorker(
        outbox=stores.outbox,
        assignments={"post": Assignment(Posting(GuardedFetch(lambda: LOOPBACK, seconds=seconds)), AT_ONCE)},
        metrics=metrics,
        log=structlog.wrap_logger(CapturingLogger(), processors=[]),
        holder="tests",
        ready=lambda: True,
    )


async def test_each_client_is_told_once_it_is_there_whatever_it_did_before(stores: Stores, receiver: Receiver) -> None:
    receiver.moods = ["refuse", "break", "redirect", "refuse"]
    metrics = Metrics()
    runner = worker(stores, metrics, 60)
    jobs = [Job("post", {"url": f"{receiver.url}{path}", "n": path}) for path in ("/moody", "/ok", "/refuse")]
    await stores.outbox.add(jobs)
    while await stores.outbox.depth():
        await runner.step()
        await runner.settle()
    counted = metrics.registry.get_sample_value
    assert counted("authcenter_job_total", {"job": "post", "outcome": "done"}) == 2
    assert counted("authcenter_job_total", {"job": "post", "outcome": "retried"}) == 4 + 8
    assert counted("authcenter_job_total", {"job": "post", "outcome": "dead"}) == 1
    paths = [path for path, _ in receiver.got]
    assert (paths.count("/moody"), paths.count("/ok"), paths.count("/refuse")) == (5, 1, 9)
    assert "/elsewhere" not in paths


async def test_who_stalls_is_told_once_it_is_back(stores: Stores, receiver: Receiver) -> None:
    metrics, receiver.moods = Metrics(), ["stall"]
    await stores.outbox.add([Job("post", {"url": f"{receiver.url}/moody", "n": 1})])
    # However slow the machine: this one gives up.
    impatient = worker(stores, metrics, 0.2)
    await impatient.step()
    await impatient.settle()
    assert await stores.outbox.depth() == 1
    receiver.moods = []
    patient = worker(stores, metrics, 60)
    await patient.step()
    await patient.settle()
    assert await stores.outbox.depth() == 0
    for outcome in ("retried", "done"):
        assert metrics.registry.get_sample_value("authcenter_job_total", {"job": "post", "outcome": outcome}) == 1


async def test_several_processes_share_the_work_and_do_nothing_twice(
    processes: tuple[Stores, Stores], receiver: Receiver
) -> None:
    metrics = Metrics()
    runners = [worker(one, metrics, 60) for one in processes]
    await processes[0].outbox.add([Job("post", {"url": f"{receiver.url}/ok", "n": number}) for number in range(60)])
    while await processes[0].outbox.depth():
        await asyncio.gather(*(runner.step() for runner in runners))
        await asyncio.gather(*(runner.settle() for runner in runners))
    assert sorted(int(form["n"]) for _, form in receiver.got) == list(range(60))
