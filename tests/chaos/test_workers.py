"""Several workers under load: whoever of them is stopped, killed or replaced, nobody loses a request by it.

Half of the callers keep their connection, half make one for each request, and none of them tries anything twice.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, serving
from tests.integration.workers.crew import answered, pids, readiness, several, whole
from tests.servers.redis import RedisServer

_WORKERS = 3
_CALLERS = 6
# Of callers that keep their connection: some ask often, some now and then.
_PAUSES = (0.02, 0.1, 0.5)
_SLOW = 12


@pytest.fixture(scope="module")
def service(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    for service in serving(several(tmp_path_factory.mktemp("workers"), redis_server, _WORKERS)):
        whole(service, _WORKERS)
        yield service


@pytest.fixture
def mortal(redis_server: RedisServer, tmp_path: Path) -> Iterator[Service]:
    """One that the test ends."""
    for service in serving(several(tmp_path / "mortal", redis_server, 2)):
        whole(service, 2)
        yield service


@dataclass(slots=True)
class Told:
    """How many requests were answered, and what became of the others."""

    answered: int = 0
    failed: list[str] = field(default_factory=list)


@asynccontextmanager
async def under_load(service: Service, client: Credentials) -> AsyncIterator[Told]:
    """Load while the block runs; at its end every request under way is finished."""
    stopped, told = asyncio.Event(), Told()

    async def call(session: aiohttp.ClientSession, pause: float) -> None:
        while not stopped.is_set():
            form = {"grant_type": "client_credentials", **client.form()}
            try:
                async with session.post(f"{service.process.url}/oauth/token", data=form) as answer:
                    await answer.read()
                    if answer.status == 200:
                        told.answered += 1
                    else:
                        told.failed.append(f"{answer.status}: {await answer.text()}")
            except aiohttp.ClientError as failure:
                told.failed.append(repr(failure))
            await asyncio.sleep(pause)

    async with (
        aiohttp.ClientSession() as kept,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as fresh,
        asyncio.TaskGroup() as group,
    ):
        for number in range(_CALLERS):
            group.create_task(call(kept, _PAUSES[number % len(_PAUSES)]))
            group.create_task(call(fresh, _PAUSES[0]))
        try:
            await asyncio.to_thread(until, lambda: told.answered > 2 * _CALLERS, "load")
            yield told
        finally:
            stopped.set()


async def eventually_whole(service: Service, before: dict[int, int], *changed: int) -> None:
    """Wait until just these workers are others than before, and all are ready."""

    def renewed() -> bool:
        now = pids(service)
        return {number for number in before if now.get(number, before[number]) != before[number]} == set(changed)

    await asyncio.to_thread(until, renewed, f"other workers {changed}", 60)
    await asyncio.to_thread(whole, service, _WORKERS)


async def test_a_rolling_restart_loses_no_request(service: Service) -> None:
    client = service.operator.client("rolling", "client_credentials")
    workers, before = whole(service, _WORKERS), answered(service)
    async with under_load(service, client) as told:
        os.kill(service.process.child.pid, signal.SIGHUP)
        await eventually_whole(service, workers, *workers)
    assert told.failed == []
    # Each of them counted by a worker that is there or by one that is gone.
    assert answered(service) == before + told.answered


async def test_stopping_a_worker_loses_no_request(service: Service) -> None:
    client = service.operator.client("stopping", "client_credentials")
    workers, before = whole(service, _WORKERS), answered(service)
    async with under_load(service, client) as told:
        os.kill(workers[2], signal.SIGTERM)
        await eventually_whole(service, workers, 2)
    assert told.failed == []
    assert answered(service) == before + told.answered


async def test_killing_a_worker_loses_what_it_had_begun_and_no_more(service: Service) -> None:
    client = service.operator.client("killing", "client_credentials")
    workers = whole(service, _WORKERS)
    async with under_load(service, client) as told:
        os.kill(workers[1], signal.SIGKILL)
        await eventually_whole(service, workers, 1)
        # Whoever was connected to it has found out by now.
        answers, failures = told.answered, len(told.failed)
        await asyncio.to_thread(until, lambda: told.answered > answers + 100, "more answers")
        assert len(told.failed) == failures
    assert all("Disconnected" in failure or "reset" in failure for failure in told.failed), told.failed
    assert len(told.failed) <= 2 * _CALLERS


def half_sent(client: Credentials) -> tuple[bytes, bytes]:
    """A request in two parts."""
    form = f"grant_type=client_credentials&client_id={client.client_id}&client_secret={client.secret}"
    head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    request = f"{head}Content-Length: {len(form)}\r\n\r\n{form}".encode()
    return request[:-10], request[-10:]


def listens(service: Service) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", service.process.port)) == 0


def runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda how: how.name)
async def test_what_has_begun_is_finished_when_the_supervisor_ends(mortal: Service, how: signal.Signals) -> None:
    client = mortal.operator.client("leaving", "client_credentials")
    workers = list(pids(mortal).values())
    first, second = half_sent(client)
    connections = [await asyncio.open_connection("127.0.0.1", mortal.process.port) for _ in range(_SLOW)]
    for _, writer in connections:
        writer.write(first)
    for _ in range(_SLOW):
        assert mortal.api.ask(client).status_code == 200

    os.kill(mortal.process.child.pid, how)
    await asyncio.to_thread(until, lambda: not listens(mortal), "nobody else is let in")
    if how != signal.SIGKILL:
        assert readiness(mortal)["problems"] == ["draining"]
    for _, writer in connections:
        writer.write(second)
    answers = await asyncio.gather(*(reader.read() for reader, _ in connections))
    assert {one.partition(b"\r\n")[0] for one in answers} == {b"HTTP/1.1 200 OK"}
    for _, writer in connections:
        writer.close()
    assert await asyncio.to_thread(mortal.process.stop) == (-how if how == signal.SIGKILL else 0)
    await asyncio.to_thread(until, lambda: not any(map(runs, workers)), "no worker is left")
