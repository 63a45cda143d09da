"""A thousand wrong passwords over three instances with one Redis: as many reach the hash as the policy allows."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.http.server import Listener
from authcenter.stores.redis.connection import RedisConnection
from authcenter.stores.redis.limits import RedisRateCounters
from tests.servers.redis import RedisServer
from tests.workbench import CHEAP, PASSWORD, Workbench

INSTANCES, GUESSES, AT_ONCE, ALLOWED = 3, 1000, 60, 10
# By the day: however slow the machine is, no slot comes free again meanwhile.
POLICY = "rate_limits: {login_failures_per_ip: %s/day, login_failures_per_account: %s/day}"
HASHED = ("user_password_wrong", "user_unknown")
"""What ``login_total`` says of passwords that were hashed: of a name that nobody has, a dummy is."""


class Instance:
    """One of them."""

    def __init__(self, bench: Workbench, web: aiohttp.ClientSession) -> None:
        self.bench, self.web = bench, web

    async def guess(self, name: str, address: str, password: str) -> int:
        form = {"grant_type": "password", "username": name, "password": password, "client_id": "app"}
        form["client_secret"] = self.bench.secrets["app"]
        async with self.web.post("/oauth/token", data=form, headers={"X-Forwarded-For": address}) as answer:
            return answer.status

    @property
    def hashed(self) -> int:
        return int(sum(self.bench.counted("login_total", outcome=outcome) for outcome in HASHED))


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
async def instances(redis_server: RedisServer) -> AsyncIterator[list[Instance]]:
    hashing = PasswordHashing(CHEAP, workers=2)
    async with AsyncExitStack() as stack:
        stack.callback(hashing.close)
        opened = []
        for _ in range(INSTANCES):
            bench = await Workbench(hashing, TRUSTED_PROXIES="127.0.0.1/32").start()
            redis = RedisConnection(redis_server.url, answer_seconds=30.0)
            stack.push_async_callback(redis.close)
            service = bench.another_service(bench.core, RedisRateCounters(redis))
            listener = await Listener(service.public, "127.0.0.1", 0).open()
            stack.push_async_callback(listener.runner.cleanup)
            web = await stack.enter_async_context(aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}"))
            opened.append(Instance(bench, web))
        yield opened


async def guess_a_thousand(instances: list[Instance], names: int, addresses: int) -> Counter[int]:
    """The statuses; names and addresses change from guess to guess."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def guess(number: int) -> int:
        name = "alice" if names == 1 else f"{number % names}@example.com"
        address = f"198.51.{number % addresses // 250}.{number % addresses % 250 + 1}"
        async with turns:
            return await instances[number % INSTANCES].guess(name, address, f"guess {number}")

    return Counter(await asyncio.gather(*(guess(number) for number in range(GUESSES))))


WAYS = [
    pytest.param(1, GUESSES, (10_000, ALLOWED), id="one account from everywhere"),
    pytest.param(GUESSES, 1, (ALLOWED, 10_000), id="every account from one address"),
    pytest.param(1, 1, (ALLOWED, ALLOWED), id="one account from one address"),
]


@pytest.mark.parametrize(("names", "addresses", "rates"), WAYS)
async def test_as_many_are_hashed_as_may_fail(
    instances: list[Instance], names: int, addresses: int, rates: tuple[int, int], redis_server: RedisServer
) -> None:
    policy = POLICY % rates
    for instance in instances:
        instance.bench.offer(policy)
    flush = RedisConnection(redis_server.url, answer_seconds=30.0)
    await flush.run(lambda client: client.flushall())
    await flush.close()
    statuses = await guess_a_thousand(instances, names, addresses)
    # Whom a full process turned away gave a slot back: what is left is used up here.
    while (status := await instances[0].guess("alice", "198.51.0.1", "one more guess")) == 400:
        statuses[status] += 1
    assert status == 429
    assert statuses[400] == sum(instance.hashed for instance in instances) == ALLOWED
    assert set(statuses) <= {400, 429, 503}
    assert await instances[0].guess("alice", "198.51.0.1", PASSWORD) == 429, "the right one is not tried either"
