"""Mail to a real server that refuses, stalls, breaks off, dies and comes back; over each database."""

import asyncio
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog
from structlog.testing import CapturingLogger

from authcenter.accounts.letters import Letters
from authcenter.core.cut import Consequences
from authcenter.core.derived import SealingKeys
from authcenter.core.job import Job, JobName
from authcenter.core.mail import Letter, MailKind
from authcenter.settings.policy_sections import BrandPolicy
from authcenter.settings.smtp_url import parse_smtp_url
from authcenter.stores.ports.mail import Mail, MailNotSent, MailRefused
from authcenter.stores.remote.smtp import SmtpMail
from authcenter.telemetry.metrics import Metrics
from authcenter.wiring.mail import mail_brand
from authcenter.workers.errands import Assignment, Persistence
from authcenter.workers.mail import MailErrand
from authcenter.workers.mail_rendering import MailRenderer, mail_environment
from authcenter.workers.mail_words import load_mail_catalogue
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
from tests.integration.stores.samples import a_user
from tests.servers.certificates import self_signed
from tests.servers.smtp import SmtpServer

__all__ = ["migrated_postgres", "migrated_sqlite", "postgres_server", "processes", "record_url", "stores"]

AT_ONCE = Persistence(attempts=1_000, first_delay=timedelta(0), time_limit=timedelta(minutes=3))
MAIL = Mail("id-1", "alice@example.com", "Subject", "en", "Text\n", "<p>HTML</p>\n")
LETTERS = Letters(SealingKeys.derive([bytes(range(32))], "mail"))


def smtp(url: str, *, trust: ssl.SSLContext | None = None, step_seconds: float = 60) -> SmtpMail:
    return SmtpMail(
        server=parse_smtp_url(url),
        sender="Example <mail@auth.example>",
        host="auth.example",
        now=lambda: datetime.now(UTC),
        trust=trust or ssl.create_default_context(),
        step_seconds=step_seconds,
    )


def letter(to: str = "alice@example.com", **values: str) -> Letter:
    return Letter(MailKind.RESET_PASSWORD, to, "en", {"name": "alice", "link": "/x?token=abc", **values})


class Process:
    """One process that sends mail."""

    def __init__(self, stores: Stores, sending: SmtpMail) -> None:
        brand = mail_brand(BrandPolicy(name="Example"))
        renderer = MailRenderer(mail_environment(), load_mail_catalogue(), lambda: brand, "https://auth.example")
        self.metrics, self.stores = Metrics(), stores
        self.worker = OutboxWorker(
            outbox=stores.outbox,
            assignments={JobName.MAIL: Assignment(MailErrand(LETTERS, renderer, sending), AT_ONCE)},
            metrics=self.metrics,
            log=structlog.wrap_logger(CapturingLogger(), processors=[]),
            holder="tests",
            ready=lambda: True,
        )

    async def step(self) -> None:
        await self.worker.step()
        await self.worker.settle()

    def counted(self, outcome: str) -> float:
        labels = {"job": "mail", "outcome": outcome}
        return self.metrics.registry.get_sample_value("authcenter_job_total", labels) or 0


async def test_a_mail_arrives_as_it_was_written(smtp_server: SmtpServer) -> None:
    await smtp(smtp_server.url).send(MAIL)
    (mail,) = smtp_server.mails()
    assert (mail.sender, mail.to, mail.subject) == ("mail@auth.example", ("alice@example.com",), "Subject")
    assert (mail.text.strip(), mail.html.strip()) == ("Text", "<p>HTML</p>")
    assert str(mail.message["Message-ID"]) == "<id-1@auth.example>"


LASTING = [
    pytest.param("rcpt 550 5.1.1 No such user alice@example.com", "550 5.1.1", id="no such user"),
    pytest.param("rcpt 553 alice@example.com is malformed", "553", id="without an enhanced code"),
    pytest.param("data 554 5.6.0 Spam for alice@example.com", "554 5.6.0", id="the mail"),
    pytest.param("data 552 5.2.2 Mailbox full", "552 5.2.2", id="no room"),
]
PASSING = [
    pytest.param("mail 451 4.7.1 Greylisted", "451 4.7.1", id="the sender, for now"),
    pytest.param("mail 550 5.1.8 Bad sender", "550 5.1.8", id="the sender: the operator can put it right"),
    pytest.param("rcpt 450 4.2.0 alice@example.com later", "450 4.2.0", id="the recipient, for now"),
    pytest.param("rcpt 554 5.7.1 alice@example.com: Relay access denied", "554 5.7.1", id="policy"),
    pytest.param("rcpt 530 Authentication required", "530", id="login"),
    pytest.param("data 421 Shutting down", "", id="going down"),
    pytest.param("data 451 4.3.0 Later", "451 4.3.0", id="the mail, for now"),
    pytest.param("data close", "", id="breaks off"),
    pytest.param("kept close", "", id="breaks off after it has it"),
]


@pytest.mark.parametrize(("mood", "told"), LASTING)
async def test_what_is_refused_for_good_is_not_tried_again(smtp_server: SmtpServer, mood: str, told: str) -> None:
    smtp_server.behave(mood)
    with pytest.raises(MailRefused) as refused:
        await smtp(smtp_server.url).send(MAIL)
    assert told in str(refused.value)
    assert "alice" not in str(refused.value)


@pytest.mark.parametrize(("mood", "told"), PASSING)
async def test_what_is_refused_for_now_is_tried_again(smtp_server: SmtpServer, mood: str, told: str) -> None:
    smtp_server.behave(mood)
    with pytest.raises(MailNotSent) as refused:
        await smtp(smtp_server.url).send(MAIL)
    assert told in str(refused.value)
    assert "alice" not in str(refused.value)


@pytest.mark.parametrize("step", ["mail", "rcpt"])
async def test_who_stalls_is_not_waited_for(smtp_server: SmtpServer, step: str) -> None:
    smtp_server.behave(f"{step} stall")
    with pytest.raises(MailNotSent, match="in time"):
        await smtp(smtp_server.url, step_seconds=1).send(MAIL)


async def test_who_is_not_there_is_asked_again(smtp_server: SmtpServer) -> None:
    smtp_server.kill()
    with pytest.raises(MailNotSent):
        await smtp(smtp_server.url).send(MAIL)


@pytest.mark.parametrize("implicit", [False, True])
async def test_who_offers_tls_is_spoken_to_in_it_and_must_be_trusted(tmp_path: Path, *, implicit: bool) -> None:
    pair = self_signed(tmp_path / "tls")
    trusted = ssl.create_default_context(cafile=pair.certificate)
    with SmtpServer(tmp_path / "smtp", tls=pair, implicit_tls=implicit, login="mailer:w%25rd") as server:
        with pytest.raises(MailNotSent):
            await smtp(server.url).send(MAIL)
        with pytest.raises(MailNotSent, match="535"):
            await smtp(server.url, trust=trusted).send(MAIL)
        await smtp(server.url.replace("w%25rd", "w%2525rd"), trust=trusted).send(MAIL)
        (mail,) = server.mails()
        assert (mail.tls, mail.login) == (True, "mailer")


async def test_a_password_is_told_to_nobody_in_clear(smtp_server: SmtpServer) -> None:
    elsewhere = replace(parse_smtp_url(smtp_server.url), host="localhost.localdomain", login="u", password="p")
    sending = replace(smtp(smtp_server.url), server=elsewhere)
    with pytest.raises(MailNotSent):
        await sending.send(MAIL)
    assert smtp_server.mails() == []


async def test_addresses_with_other_letters_arrive(smtp_server: SmtpServer) -> None:
    sending = smtp(smtp_server.url)
    await sending.send(replace(MAIL, to="alice@bücher.example"))
    await sending.send(replace(MAIL, to="jörg@bücher.example"))
    assert [mail.to for mail in smtp_server.mails()] == [
        ("alice@xn--bcher-kva.example",),
        ("jörg@xn--bcher-kva.example",),
    ]


async def test_a_letter_left_with_its_cause_is_sent_once(stores: Stores, smtp_server: SmtpServer) -> None:
    job = LETTERS.job(letter())
    await stores.users.add(a_user(), "", Consequences(jobs=(job,)))
    process = Process(stores, smtp(smtp_server.url))
    for _ in range(3):
        await process.step()
    (mail,) = smtp_server.mails()
    assert (mail.to, mail.link) == (("alice@example.com",), "https://auth.example/x?token=abc")
    assert str(mail.message["Message-ID"]) == f"<{job.job_id}@auth.example>"
    assert process.counted("done") == 1


async def test_nothing_is_lost_while_the_server_refuses_and_is_gone(stores: Stores, smtp_server: SmtpServer) -> None:
    process = Process(stores, smtp(smtp_server.url))
    await stores.outbox.add([LETTERS.job(letter(f"u{number}@example.com")) for number in range(5)])
    for mood in ("mail 451 Later", "rcpt 452 Later", "data close"):
        smtp_server.behave(mood)
        await process.step()
    smtp_server.kill()
    await process.step()
    assert (smtp_server.mails(), await stores.outbox.depth()) == ([], 5)
    smtp_server.behave("well")
    smtp_server.start()
    while await stores.outbox.depth():
        await process.step()
    assert sorted(mail.to[0] for mail in smtp_server.mails()) == [f"u{number}@example.com" for number in range(5)]
    assert process.counted("done") == 5


async def test_what_is_refused_for_good_is_a_dead_letter(stores: Stores, smtp_server: SmtpServer) -> None:
    process = Process(stores, smtp(smtp_server.url))
    smtp_server.behave("rcpt 550 5.1.1 No such user")
    await stores.outbox.add([LETTERS.job(letter()), LETTERS.job(letter("not an address"))])
    await process.step()
    assert (await stores.outbox.depth(), process.counted("dead")) == (0, 2)


async def test_a_letter_that_does_not_open_is_a_dead_letter(stores: Stores, smtp_server: SmtpServer) -> None:
    other = Letters(SealingKeys.derive([bytes(range(1, 33))], "mail"))
    mine, foreign = LETTERS.job(letter()), other.job(letter())
    swapped = Job(mine.name, {"id": foreign.job_id, "letter": LETTERS.job(letter()).payload["letter"]})
    process = Process(stores, smtp(smtp_server.url))
    await stores.outbox.add([foreign, swapped])
    await process.step()
    assert (smtp_server.mails(), process.counted("dead")) == ([], 2)


async def test_a_copy_that_follows_from_a_lost_answer_has_the_same_id(stores: Stores, smtp_server: SmtpServer) -> None:
    process = Process(stores, smtp(smtp_server.url))
    await stores.outbox.add([LETTERS.job(letter())])
    smtp_server.behave("kept close")
    await process.step()
    smtp_server.behave("well")
    while await stores.outbox.depth():
        await process.step()
    first, second = smtp_server.mails()
    assert first.message["Message-ID"] == second.message["Message-ID"]


async def test_a_server_that_takes_its_time_over_a_mail_gets_it_once(
    processes: tuple[Stores, Stores], smtp_server: SmtpServer
) -> None:
    slow, other = (Process(stores, smtp(smtp_server.url, step_seconds=1)) for stores in processes)
    await processes[0].outbox.add([LETTERS.job(letter())])
    smtp_server.behave("kept stall")
    working = asyncio.create_task(slow.step())
    await asyncio.to_thread(smtp_server.await_mails)
    # Longer than any other step may take.
    await asyncio.sleep(1.5)
    await other.step()
    smtp_server.behave("well")
    await working
    assert (len(smtp_server.mails()), slow.counted("done")) == (1, 1)
