"""Rate limits as clients meet them: 429, when to come again, and nothing else that tells anything."""

import asyncio
from typing import Any

import aiohttp
import argon2
import pytest

from authcenter.accounts.passwords import PasswordHashing
from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.client import AuthMethod
from authcenter.http.server import Listener
from authcenter.stores.memory.shared import MemoryRateCounters
from tests.unit.http.recording import compare
from tests.unit.http.requests import basic
from tests.workbench import PASSWORD, Workbench

TOKEN, GRANT = "/oauth/token", {"grant_type": "client_credentials"}


def login(name: str = "alice", password: str = "wrong") -> dict[str, str]:
    return {"grant_type": "password", "username": name, "password": password}


class Client:
    """A program that asks over HTTP."""

    def __init__(self, bench: Workbench, web: aiohttp.ClientSession) -> None:
        self.bench, self.web = bench, web

    async def ask(
        self, form: Any, *, client: str = "app", secret: str | None = None, path: str = TOKEN, **headers: str
    ) -> tuple[int, dict[str, str], str]:
        """Status, headers, and the error or ''."""
        auth = basic(client, self.bench.secrets.get(client, "x") if secret is None else secret)
        sent = auth | {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.web.post(path, data=form, headers=sent) as response:
            members = await response.json() if await response.read() else {}
            return response.status, dict(response.headers), str(members.get("error", ""))

    async def statuses(self, times: int, form: Any, **options: Any) -> list[int]:
        return [(await self.ask(form, **options))[0] for _ in range(times)]


@pytest.fixture
def program(bench: Workbench, web: aiohttp.ClientSession) -> Client:
    return Client(bench, web)


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each password hash that was computed."""
    computed: list[str] = []
    real = argon2.PasswordHasher.verify

    def verify(self: argon2.PasswordHasher, *args: Any) -> bool:
        computed.append("hash")
        return bool(real(self, *args))

    monkeypatch.setattr(argon2.PasswordHasher, "verify", verify)
    return computed


async def test_a_token_answer_says_what_is_left(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {token_per_client: 3/minute}")
    told = [await program.ask(GRANT) for _ in range(4)]
    assert [status for status, _, _ in told] == [200, 200, 200, 429]
    assert [headers["RateLimit-Remaining"] for _, headers, _ in told] == ["2", "1", "0", "0"]
    assert [headers["RateLimit-Reset"] for _, headers, _ in told] == ["20", "40", "60", "60"]
    assert {headers["RateLimit-Limit"] for _, headers, _ in told} == {"3"}
    assert [headers.get("Retry-After") for _, headers, _ in told] == [None, None, None, "20"]
    assert told[3][2] == "temporarily_unavailable"
    bench.clock.advance(20)
    assert await program.statuses(2, GRANT) == [200, 429]
    assert bench.counted("rate_limited_total", rule="rate_limited_client") == 2
    assert bench.counted("token_request_total", grant_type="client_credentials", outcome="granted") == 4


async def test_the_snapshot_of_a_limited_request(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer("rate_limits: {token_per_client: 1/minute}")
    for name in ("token_last_of_its_limit", "rate_limited"):
        async with web.post(TOKEN, data=GRANT, headers=basic("app", bench.secrets["app"])) as response:
            await compare(name, response)


async def test_clients_have_limits_of_their_own(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {token_per_client: 2/minute}")
    assert await program.statuses(3, GRANT) == [200, 200, 429]
    assert await program.statuses(3, GRANT, client="other") == [200, 200, 429]


async def test_only_who_is_authenticated_uses_up_a_clients_limit(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {token_per_client: 2/minute}")
    assert await program.statuses(5, GRANT, secret="wrong") == [401] * 5
    assert await program.statuses(3, GRANT) == [200, 200, 429]


async def test_nobody_uses_up_a_public_clients_limit_for_people_elsewhere(cheap_hashing: PasswordHashing) -> None:
    policy = "rate_limits: {token_per_client: 2/minute}"
    bench = await Workbench(cheap_hashing, policy, TRUSTED_PROXIES="127.0.0.1/32").start()
    await bench.client("spa", grants=frozenset({"password"}), auth_methods=frozenset({AuthMethod.NONE}))
    form = {**login("alice", PASSWORD), "client_id": "spa"}
    async with serving(bench) as web:

        async def ask(address: str) -> int:
            async with web.post(TOKEN, data=form, headers={"X-Forwarded-For": address}) as response:
                return response.status

        assert [await ask("192.0.2.1") for _ in range(3)] == [200, 200, 429]
        assert await ask("192.0.2.2") == 200


async def test_a_limited_request_spends_nothing(bench: Workbench, program: Client) -> None:
    token = (await bench.issue()).refresh
    bench.offer("rate_limits: {token_per_client: 1/minute}")
    assert await program.statuses(1, GRANT) == [200]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    assert (await program.ask(form))[0] == 429
    assert not bench.spent(token)
    bench.clock.advance(60)
    assert (await program.ask(form))[0] == 200


@pytest.mark.parametrize("path", [TOKEN, "/oauth/introspect", "/oauth/revoke"])
async def test_failed_client_authentications_are_limited_at_every_endpoint(
    bench: Workbench, program: Client, path: str
) -> None:
    bench.offer("rate_limits: {client_auth_failures_per_ip: 5/minute}")
    form = {**GRANT, "token": "x"}
    assert await program.statuses(7, form, secret="wrong", path=path) == [401] * 5 + [429] * 2
    status, headers, _ = await program.ask(form, path=path)
    assert (status, headers["Retry-After"]) == (429, "12"), "not even the right secret is compared"
    assert "WWW-Authenticate" not in headers
    bench.clock.advance(12)
    assert await program.statuses(3, form, path=path) == [200] * 3, "a success gives its slot back"
    assert bench.counted("rate_limited_total", rule="rate_limited_address") == 3


async def test_a_limited_address_looks_nothing_up(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {client_auth_failures_per_ip: 1/minute}")
    await program.statuses(1, GRANT, client="nobody")
    bench.board.asked.clear()
    assert await program.statuses(5, GRANT, client="another") == [429] * 5
    assert bench.board.asked == []


async def test_many_good_clients_at_once_behind_one_address_do_not_limit_each_other(
    bench: Workbench, program: Client
) -> None:
    bench.offer("rate_limits: {client_auth_failures_per_ip: 1/minute}")
    told = await asyncio.gather(*(program.ask(GRANT, client=client) for client in ("app", "other") * 100))
    assert {status for status, _, _ in told} == {200}


@pytest.mark.parametrize("client", ["app", "imported", "nobody"])
async def test_of_many_wrong_secrets_at_once_as_many_are_compared_as_may_fail(
    bench: Workbench, program: Client, hashed: list[str], client: str
) -> None:
    metadata = ClientMetadata("imported", scopes=frozenset({"read"}))
    slow = argon2.PasswordHasher(1, 8, 1).hash("brought along")
    await bench.core.clients.create(metadata, "tests", secret_hash=slow)
    bench.offer("rate_limits: {client_auth_failures_per_ip: 5/minute}")
    told = await asyncio.gather(*(program.ask(GRANT, client=client, secret=f"guess {n} of many") for n in range(60)))
    statuses = [status for status, _, _ in told]
    assert (statuses.count(401), statuses.count(429)) == (5, 55)
    assert len(hashed) == (5 if client == "imported" else 0)


async def test_of_a_thousand_wrong_passwords_at_once_as_many_are_hashed_as_may_fail(
    bench: Workbench, hashed: list[str]
) -> None:
    async def guess(number: int) -> str:
        try:
            await bench.issue(password=f"guess {number}")
        except Exception as refusal:  # noqa: BLE001 - whatever it is, it is counted
            return str(getattr(refusal, "rule", refusal))
        return "in"

    told = await asyncio.gather(*(guess(number) for number in range(1000)))
    assert told.count("user_password_wrong") == len(hashed) == 10
    assert set(told) == {"user_password_wrong", "rate_limited_address", "password_pool_full"}


async def test_two_processes_count_failed_logins_together(
    bench: Workbench, hashed: list[str], cheap_hashing: PasswordHashing
) -> None:
    counters = MemoryRateCounters(bench.clock)
    services = [bench.another_service(bench.core, counters) for _ in range(2)]
    statuses: list[int] = []
    for service in services:
        async with serving(bench, service.public) as web:
            statuses += await Client(bench, web).statuses(8, login())
    assert statuses == [400] * 10 + [429] * 6
    assert len(hashed) == 10


async def test_known_and_unknown_accounts_are_limited_alike(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 1000/hour, login_failures_per_account: 3/hour}")
    told = []
    for name in ("alice", "nobody"):
        answers = [await program.ask(login(name)) for _ in range(5)]
        told.append([(status, headers.get("Retry-After"), error) for status, headers, error in answers])
    assert told[0] == told[1]
    assert told[0][-1] == (429, "1200", "temporarily_unavailable")
    status, headers, _ = await program.ask(login("alice", PASSWORD))
    assert (status, headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == (429, "3", "0")
    assert bench.counted("rate_limited_total", rule="rate_limited_account") == 5
    bench.clock.advance(1200)
    assert (await program.ask(login("alice", PASSWORD)))[0] == 200


async def test_good_logins_use_up_no_slot(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 2/hour, login_failures_per_account: 2/hour}")
    assert await program.statuses(10, login(password=PASSWORD)) == [200] * 10


async def test_a_record_that_does_not_answer_uses_up_no_slot(bench: Workbench, program: Client) -> None:
    assert await program.statuses(1, login(password=PASSWORD)) == [200]
    bench.board.down = True
    assert await program.statuses(30, login(password=PASSWORD)) == [503] * 30
    bench.board.down = False
    assert await program.statuses(1, login(password=PASSWORD)) == [200]


def serving(bench: Workbench, public: Any = None) -> "Serving":
    return Serving(public or bench.service.public)


class Serving:
    """A public listener for as long as a block runs."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    async def __aenter__(self) -> aiohttp.ClientSession:
        self.listener = await Listener(self.handler, "127.0.0.1", 0).open()
        self.session = aiohttp.ClientSession(f"http://127.0.0.1:{self.listener.port}")
        return self.session

    async def __aexit__(self, *_: object) -> None:
        await self.session.close()
        await self.listener.drain()


PROXIES = [
    pytest.param("", 429, id="a stranger's header makes no other address of him"),
    pytest.param("127.0.0.1/32", 401, id="a trusted proxy's does"),
]


@pytest.mark.parametrize(("trusted", "status"), PROXIES)
async def test_whose_word_counts_for_an_address(cheap_hashing: PasswordHashing, trusted: str, status: int) -> None:
    policy = "rate_limits: {client_auth_failures_per_ip: 2/minute}"
    bench = await Workbench(cheap_hashing, policy, TRUSTED_PROXIES=trusted).start()
    async with serving(bench) as web:
        program = Client(bench, web)
        for address, expected in (("192.0.2.1", 401), ("192.0.2.1", 401), ("192.0.2.1", 429), ("192.0.2.2", status)):
            assert (await program.ask(GRANT, secret="wrong", X_Forwarded_For=address))[0] == expected


async def test_a_policy_is_in_force_at_once(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {token_per_client: 1/minute, client_auth_failures_per_ip: 1/day}")
    assert await program.statuses(2, GRANT) == [200, 429]
    bench.offer("rate_limits: {token_per_client: 2/minute, client_auth_failures_per_ip: 1/day}")
    assert await program.statuses(3, GRANT) == [200, 200, 429]
    assert await program.statuses(2, GRANT, secret="wrong") == [401, 429]
    bench.offer("rate_limits: {client_auth_failures_per_ip: 2/day}")
    assert await program.statuses(3, GRANT, secret="wrong") == [401, 401, 429]


async def test_what_was_limited_is_in_the_log_by_its_rule(bench: Workbench, program: Client) -> None:
    bench.offer("rate_limits: {token_per_client: 1/minute}")
    await program.statuses(2, GRANT)
    bench.request_log.flush()
    assert '"rule":"rate_limited_client"' in bench.lines.getvalue()
    assert "token_client 'app': more than 1/minute" in bench.lines.getvalue()
