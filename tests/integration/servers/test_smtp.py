"""The mail server of tests keeps what it takes, and refuses, stalls or breaks off when told to."""

import smtplib
import ssl
from pathlib import Path

import pytest

from tests.servers.certificates import self_signed
from tests.servers.smtp import SmtpServer

_MAIL = "From: a@example.com\r\nTo: b@example.com\r\nSubject: One\r\n\r\nGo to https://auth.example/x?token=y\r\n"


def send(server: SmtpServer, timeout: float = 60) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=timeout) as client:
        client.sendmail("a@example.com", ["b@example.com"], _MAIL)


def test_what_it_takes_is_kept_over_its_death(smtp_server: SmtpServer) -> None:
    send(smtp_server)
    smtp_server.kill()
    smtp_server.start()
    send(smtp_server)
    first, second = smtp_server.await_mails(2, to="b@example.com")
    assert (first.sender, first.to, first.subject) == ("a@example.com", ("b@example.com",), "One")
    assert second.link == "https://auth.example/x?token=y"
    assert smtp_server.mails(to="c@example.com") == []


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        pytest.param("mail 451 Later", smtplib.SMTPSenderRefused, id="the sender"),
        pytest.param("rcpt 550 Nobody", smtplib.SMTPRecipientsRefused, id="the recipient"),
        pytest.param("data 554 Spam", smtplib.SMTPDataError, id="the mail"),
        pytest.param("data close", smtplib.SMTPServerDisconnected, id="breaks off"),
    ],
)
def test_what_it_refuses_is_not_kept(smtp_server: SmtpServer, mood: str, failure: type[Exception]) -> None:
    smtp_server.behave(mood)
    with pytest.raises(failure):
        send(smtp_server)
    smtp_server.behave("well")
    send(smtp_server)
    assert len(smtp_server.mails()) == 1


@pytest.mark.parametrize(("step", "kept"), [("rcpt", 0), ("data", 0), ("kept", 1)])
def test_it_stalls_before_or_after_it_has_kept_the_mail(smtp_server: SmtpServer, step: str, kept: int) -> None:
    smtp_server.behave(f"{step} stall")
    with pytest.raises(smtplib.SMTPServerDisconnected):
        # However slow the machine: nothing is answered until the mood changes.
        send(smtp_server, 2)
    assert len(smtp_server.mails()) <= kept


@pytest.mark.parametrize("implicit", [False, True])
def test_it_asks_for_a_login_over_tls(tmp_path: Path, *, implicit: bool) -> None:
    trusted = ssl.create_default_context(cafile=(pair := self_signed(tmp_path / "tls")).certificate)
    with SmtpServer(tmp_path / "smtp", tls=pair, implicit_tls=implicit, login="mailer:word") as server:
        assert server.url == f"{'smtps' if implicit else 'smtp'}://mailer:word@127.0.0.1:{server.port}"
        at = "127.0.0.1", server.port
        with smtplib.SMTP_SSL(*at, context=trusted) if implicit else smtplib.SMTP(*at) as client:
            if not implicit:
                client.starttls(context=trusted)
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("mailer", "other")
            client.login("mailer", "word")
            client.sendmail("a@example.com", ["b@example.com"], _MAIL)
        (mail,) = server.mails()
        assert (mail.tls, mail.login) == (True, "mailer")
