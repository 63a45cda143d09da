"""Mail of a deployment: a service, a worker beside it, Redis and a mail server, which die and come back."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis as redis_client

from authcenter.core.job import JobName
from authcenter.stores.redis.keys import jobs_key
from tests.integration.service.api import until
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.background import BackgroundWorker
from tests.servers.letter_box import letter_box
from tests.servers.redis import RedisServer
from tests.servers.smtp import SmtpServer

TO = "alice@example.com"


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path / "redis") as server:
        yield server


@pytest.fixture
def service(tmp_path: Path, redis: RedisServer) -> AuthcenterProcess:
    """Migrated, but not running: what comes to be done a worker has done."""
    service = AuthcenterProcess(tmp_path / "service", settings={"AUTHCENTER_REDIS_URL": redis.url})
    assert service.cli("db", "upgrade").returncode == 0
    return service


@pytest.fixture
def worker(tmp_path: Path, service: AuthcenterProcess, smtp_server: SmtpServer) -> BackgroundWorker:
    sender = {"AUTHCENTER_SMTP_URL": smtp_server.url, "AUTHCENTER_MAIL_FROM": "Example <mail@auth.example>"}
    return BackgroundWorker(tmp_path / "worker", service, settings=sender)


async def leave(service: AuthcenterProcess, to: str = TO) -> str:
    """The id of the letter."""
    async with letter_box(service.environment) as box:
        job = box.letter(to)
        await box.leave(job)
        return job.job_id


def waiting(redis: RedisServer) -> int:
    """Ids that nobody has taken."""
    with redis_client.Redis(port=redis.port) as connection:
        return int(connection.llen(jobs_key(JobName.MAIL)))


def told(server: AuthcenterProcess | BackgroundWorker, event: str) -> list[dict[str, str]]:
    lines = (json.loads(line) for line in server.log.read_text().splitlines() if line.startswith("{"))
    return [line for line in lines if line.get("event") == event]


async def test_a_worker_sends_what_the_service_left_and_is_told_of_it(
    service: AuthcenterProcess, worker: BackgroundWorker, smtp_server: SmtpServer, redis: RedisServer
) -> None:
    first = await leave(service)
    assert waiting(redis) == 1
    with worker:
        second = await leave(service)
        mails = smtp_server.await_mails(2)
        assert {str(mail.message["Message-ID"]) for mail in mails} == {
            f"<{one}@auth.example>" for one in (first, second)
        }
        assert mails[0].link == f"{service.url}/register?token=abc"
        until(lambda: waiting(redis) == 0, "every id has been taken")
        done = 'authcenter_job_total{job="mail",outcome="done"} 2.0'
        until(lambda: done in worker.metrics(), "both are counted")
        assert worker.stop() == 0
    assert told(worker, "draining")


async def test_without_redis_a_mail_arrives_all_the_same(
    service: AuthcenterProcess, worker: BackgroundWorker, smtp_server: SmtpServer, redis: RedisServer
) -> None:
    with worker:
        redis.kill()
        await leave(service)
        smtp_server.await_mails()
        redis.start()
        await leave(service, "bob@example.com")
        smtp_server.await_mails(to="bob@example.com")
    assert len(smtp_server.mails()) == 2


async def test_what_a_killed_worker_had_claimed_the_next_one_sends(
    service: AuthcenterProcess, worker: BackgroundWorker, smtp_server: SmtpServer
) -> None:
    smtp_server.behave("mail stall")
    with worker:
        await leave(service)
        until(lambda: smtp_server.stalling, "the worker is about to send")
        worker.kill()
        smtp_server.behave("well")
        worker.start()
        smtp_server.await_mails()
        worker.stop()
    assert len(smtp_server.mails()) == 1


async def test_a_development_server_without_smtp_writes_mails_to_its_log(tmp_path: Path) -> None:
    with AuthcenterProcess(tmp_path / "service") as service:
        await leave(service)
        until(lambda: bool(told(service, "mail")), "the mail in the log")
        (mail,) = told(service, "mail")
    assert mail["to"] == TO
    assert f"{service.url}/register?token=abc" in mail["text"]
