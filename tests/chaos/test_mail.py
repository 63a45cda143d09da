"""A thousand sign-ups, while the worker, Redis and the mail server are killed in turn: each gets its mail, and copies
are no more than what is documented: one for each try that broke off after the mail server had it."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from authcenter.workers.lanes import SHARE
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.background import BackgroundWorker
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.smtp import ReceivedMail, SmtpServer

pytestmark = pytest.mark.long

SIGN_UPS, AT_ONCE = 1_000, 8
HANG_SECONDS = 240
POLICY = """
accounts: {signup: true}
rate_limits: {signup_per_ip: 100000/minute}
"""


@dataclass(slots=True)
class SignUps:
    """People who sign up, one after the other in each of several lines.

    Attributes:
        promised: The addresses that were promised a mail.
    """

    url: str
    promised: set[str] = field(default_factory=set)
    _asked: int = 0

    async def run(self) -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=HANG_SECONDS)) as session:
            await asyncio.gather(*(self._line(session) for _ in range(AT_ONCE)))

    async def until(self, promised: int) -> None:
        async with asyncio.timeout(HANG_SECONDS):
            while len(self.promised) < promised:
                await asyncio.sleep(0.01)

    async def _line(self, session: aiohttp.ClientSession) -> None:
        while len(self.promised) < SIGN_UPS:
            # Another one each time: whoever was refused may have been promised a mail, and is not asked for.
            self._asked += 1
            address = f"user-{self._asked}@example.com"
            async with session.post(f"{self.url}/api/v1/auth/register", json={"email": address}) as answer:
                if answer.status == 202:
                    self.promised.add(address)
                else:
                    assert answer.status == 503, await answer.text()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, postgres_server: PostgresServer, redis: RedisServer) -> Iterator[AuthcenterProcess]:
    """It has no mail server: what it promises the worker has to keep."""
    settings = {
        "AUTHCENTER_ENV": "production",
        "AUTHCENTER_ISSUER": "https://auth.example",
        "AUTHCENTER_REDIS_URL": redis.url,
    }
    url = postgres_server.create_database()
    service = AuthcenterProcess(tmp_path / "service", database_url=url, settings=settings)
    service.policy_file.write_text(POLICY)
    assert service.cli("db", "upgrade").returncode == 0
    with service:
        yield service


@pytest.fixture
def worker(tmp_path: Path, service: AuthcenterProcess, smtp_server: SmtpServer) -> Iterator[BackgroundWorker]:
    sender = {"AUTHCENTER_SMTP_URL": smtp_server.url, "AUTHCENTER_MAIL_FROM": "Example <mail@auth.example>"}
    with BackgroundWorker(tmp_path / "worker", service, settings=sender) as worker:
        yield worker


async def test_a_thousand_sign_ups(
    service: AuthcenterProcess, worker: BackgroundWorker, redis: RedisServer, smtp_server: SmtpServer
) -> None:
    sign_ups = SignUps(service.url)
    signing_up = asyncio.create_task(sign_ups.run())
    for number, victim in enumerate((worker, redis, smtp_server, worker)):
        await sign_ups.until(SIGN_UPS * (2 * number + 1) // 9)
        victim.kill()
        await sign_ups.until(SIGN_UPS * (2 * number + 2) // 9)
        # From this thread: the kernel ends a server together with the thread that started it.
        victim.start()
    await signing_up
    mails = await asyncio.to_thread(all_mails, smtp_server, sign_ups.promised)
    check_copies(mails, tries_that_broke_off(worker), kills=2)


def all_mails(server: SmtpServer, promised: set[str]) -> list[ReceivedMail]:
    """Once everybody has theirs."""
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        mails = server.mails()
        missing = promised - {mail.to[0] for mail in mails}
        if not missing:
            return mails
        assert time.monotonic() < deadline, f"{len(missing)} without mail: {sorted(missing)[:5]}"
        time.sleep(0.5)


def tries_that_broke_off(worker: BackgroundWorker) -> Counter[str]:
    """By job: what the worker told of in all its lives."""
    lines = (json.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{"))
    return Counter(line["job_id"] for line in lines if line.get("event") == "job_not_done")


def check_copies(mails: list[ReceivedMail], broken_off: Counter[str], *, kills: int) -> None:
    """One letter an address; copies of it have its id, and each has its cause: a try that broke off and was told of,
    or the death of the worker, which tells nobody."""
    ids: dict[str, set[str]] = {}
    copies: Counter[str] = Counter()
    for mail in mails:
        message_id = str(mail.message["Message-ID"])
        ids.setdefault(mail.to[0], set()).add(message_id)
        copies[message_id.strip("<>").partition("@")[0]] += 1
    assert {len(found) for found in ids.values()} == {1}
    untold = {job_id: count - 1 - broken_off[job_id] for job_id, count in copies.items()}
    assert sum(max(count, 0) for count in untold.values()) <= kills * SHARE
    assert max(untold.values()) <= kills
