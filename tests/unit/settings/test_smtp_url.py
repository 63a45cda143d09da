"""The mail server that a URL names."""

import pytest

from authcenter.settings.boot import load_boot_settings
from authcenter.settings.errors import SettingsError
from authcenter.settings.smtp_url import SmtpServer, parse_smtp_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("smtp://mail.example", SmtpServer("mail.example", 587, tls=False), id="submission"),
        pytest.param("smtps://mail.example/", SmtpServer("mail.example", 465, tls=True), id="over TLS"),
        pytest.param("smtp://mail.example:25", SmtpServer("mail.example", 25, tls=False), id="a port"),
        pytest.param("smtp://[::1]:2525", SmtpServer("::1", 2525, tls=False), id="IPv6"),
        pytest.param(
            "smtps://me%40a.example:p%23%2F%C3%BC@h", SmtpServer("h", 465, True, "me@a.example", "p#/ü"), id="login"
        ),
    ],
)
def test_it_names_a_server(url: str, expected: SmtpServer) -> None:
    assert parse_smtp_url(url) == expected
    assert load_boot_settings(None, {"AUTHCENTER_SMTP_URL": url, "AUTHCENTER_MAIL_FROM": "a@b"}).smtp_url == url


def test_the_password_is_not_shown() -> None:
    assert "hunter2" not in repr(parse_smtp_url("smtp://u:hunter2@h"))


def test_who_sends_mail_says_from_whom() -> None:
    with pytest.raises(SettingsError) as refused:
        load_boot_settings(None, {"AUTHCENTER_SMTP_URL": "smtp://h"})
    assert "AUTHCENTER_MAIL_FROM: must be given together with AUTHCENTER_SMTP_URL" in str(refused.value)
