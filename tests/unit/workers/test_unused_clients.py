"""Clients of strangers go when nobody has used them for the time that the policy says."""

from datetime import timedelta

import aiohttp
import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.core.consent import Consent
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.errors import NotFound
from authcenter.core.event import EventKind
from authcenter.core.ids import ClientId
from authcenter.core.scope import Scope
from authcenter.workers.unused_clients import ACTOR, LOCK, MOST_A_STEP, UnusedClientsWorker
from tests.workbench import Workbench

OPEN = "registration: {mode: open}"
MONTH = timedelta(days=30)
_MINUTE = timedelta(minutes=1)


class Process:
    """One process that may remove them."""

    def __init__(self, bench: Workbench) -> None:
        self.log, self.ready = CapturingLogger(), True
        self.worker = UnusedClientsWorker(
            unused=bench.stores.unused_clients,
            registry=bench.core.clients,
            locks=bench.stores.locks,
            policy=bench.policy,
            clock=bench.clock,
            log=structlog.wrap_logger(self.log, processors=[]),
            holder="one",
            ready=lambda: self.ready,
        )

    def told(self) -> list[str]:
        return [call.kwargs["event"] for call in self.log.calls]


@pytest.fixture
def process(bench: Workbench) -> Process:
    bench.offer(OPEN)
    return Process(bench)


async def register(web: aiohttp.ClientSession, **headers: str) -> dict[str, str]:
    document = {"redirect_uris": ["https://app.example/cb"]}
    async with web.post("/oauth/register", json=document, headers=headers) as answer:
        assert answer.status == 201, await answer.text()
        told: dict[str, str] = await answer.json()
        return told


async def is_there(bench: Workbench, client_id: str) -> bool:
    try:
        await bench.core.clients.get(client_id)
    except NotFound:
        return False
    return True


async def test_one_that_nobody_used_goes_after_a_month(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    client_id = (await register(web))["client_id"]
    before = set(bench.record.tables.clients)
    bench.clock.at += MONTH
    assert await process.worker.step() == 0
    bench.clock.at += _MINUTE
    assert await process.worker.step() == 1
    assert before - set(bench.record.tables.clients) == {client_id}
    removed = [event for event in bench.events if event.kind is EventKind.CLIENT_DELETED]
    assert [event.actor for event in removed] == [ACTOR]
    assert process.told() == ["unused_clients_removed"]
    assert bench.record.tables.leases == {}


async def test_one_that_was_used_stays(bench: Workbench, web: aiohttp.ClientSession, process: Process) -> None:
    client_id = ClientId((await register(web))["client_id"])
    now, scope = bench.clock.now(), Scope.of({"openid"})
    consent = Consent(bench.alice.subject, client_id, scope, frozenset(), frozenset(), now, now)
    await bench.stores.consents.put(consent, NO_CONSEQUENCES)
    bench.clock.at += 10 * MONTH
    assert await process.worker.step() == 0
    # Nobody wants it any more.
    await bench.stores.consents.remove(bench.alice.subject, client_id, NO_CONSEQUENCES)
    assert await process.worker.step() == 1


async def test_one_that_looks_after_itself_stays_and_remains_a_strangers(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    told = await register(web)
    bench.clock.at += MONTH
    path, headers = (
        f"/oauth/register/{told['client_id']}",
        {"Authorization": f"Bearer {told['registration_access_token']}"},
    )
    document = {"client_id": told["client_id"], "redirect_uris": ["https://app.example/other"]}
    async with web.put(path, json=document, headers=headers) as answer:
        assert answer.status == 200, await answer.text()
    bench.clock.at += _MINUTE
    assert await process.worker.step() == 0
    bench.clock.at += MONTH
    assert await process.worker.step() == 1


async def test_one_that_an_initial_access_token_vouched_for_stays(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    _, token = await bench.core.initial_tokens.create(timedelta(hours=1), 1, "tests")
    told = await register(web, Authorization=f"Bearer {token.reveal()}")
    bench.clock.at += 10 * MONTH
    assert await process.worker.step() == 0
    assert await is_there(bench, told["client_id"])


@pytest.mark.parametrize(("seconds", "goes"), [(0, 0), (86_400, 1)])
async def test_the_policy_says_when(
    bench: Workbench, web: aiohttp.ClientSession, process: Process, seconds: int, goes: int
) -> None:
    bench.offer(f"registration: {{mode: open, unused_ttl: {seconds}}}")
    await register(web)
    bench.clock.at += timedelta(days=2)
    assert await process.worker.step() == goes


async def test_many_go_over_several_steps(bench: Workbench, web: aiohttp.ClientSession, process: Process) -> None:
    made = await bench.core.clients.get((await register(web))["client_id"])
    for number in range(MOST_A_STEP):
        copied = f"{made.client_id}-{number}"
        bench.record.tables.clients[copied] = type(made)(
            **{name: getattr(made, name) for name in made.__slots__} | {"client_id": copied}
        )
    bench.clock.at += 2 * MONTH
    assert [await process.worker.step() for _ in range(3)] == [MOST_A_STEP, 1, 0]


async def test_another_instance_with_the_lock_is_left_alone(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    await register(web)
    bench.clock.at += 2 * MONTH
    await bench.stores.locks.acquire(LOCK, "another", timedelta(seconds=60))
    assert await process.worker.step() == 0
    bench.clock.advance(60)
    assert await process.worker.step() == 1


async def test_an_outage_is_told_once_and_waited_out(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    await register(web)
    bench.clock.at += 2 * MONTH
    bench.board.down = True
    assert [await process.worker.step() for _ in range(3)] == [0, 0, 0]
    bench.board.down = False
    assert await process.worker.step() == 1
    assert process.told() == ["unused_clients_postponed", "unused_clients_removed"]


async def test_a_process_that_is_not_ready_does_nothing(
    bench: Workbench, web: aiohttp.ClientSession, process: Process
) -> None:
    await register(web)
    bench.clock.at += 2 * MONTH
    process.ready = False
    assert await process.worker.step() == 0
