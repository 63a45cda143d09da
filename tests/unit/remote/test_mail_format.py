"""Mails on the wire: headers that nobody can add to, addresses that servers can take, one id for all tries."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from authcenter.stores.ports.mail import Mail, MailRefused
from authcenter.stores.remote.mail_format import compose, envelope_address

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)
MAIL = Mail("id-1", "alice@example.com", "Subject", "en", "Text ü\n", "<p>HTML ü</p>\n")
SENDER = "Example <mail@auth.example>"
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Content-Language",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
}


def read(mail: Mail, sender: str = SENDER) -> EmailMessage:
    """As its reader gets it."""
    written = compose(mail, sender, AT).as_bytes()
    assert written.isascii()
    assert all(len(line) <= 998 for line in written.split(b"\r\n"))
    return email.message_from_bytes(written, policy=email.policy.default)


def test_it_says_who_what_and_when() -> None:
    message = read(MAIL)
    assert set(message.keys()) == HEADERS
    assert str(message["From"]) == "Example <mail@auth.example>"
    assert str(message["To"]) == "alice@example.com"
    assert str(message["Message-ID"]) == "<id-1@auth.example>"
    assert str(message["Auto-Submitted"]) == "auto-generated"
    assert message["Date"].datetime == AT
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content().splitlines() for part in message.iter_parts()] == [["Text ü"], ["<p>HTML ü</p>"]]


def test_each_try_has_the_same_id() -> None:
    again = compose(MAIL, SENDER, AT.replace(hour=13))
    assert again["Message-ID"] == compose(MAIL, SENDER, AT)["Message-ID"]


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        pytest.param("One\r\nBcc: eve@example.com", "One Bcc: eve@example.com", id="line break"),
        pytest.param("One\nTwo\rThree\x0bFour\u2028Five\x00", "One Two Three Four Five", id="all kinds of them"),
        pytest.param("Grüße & 世界", "Grüße & 世界", id="other letters"),
        pytest.param("x" * 5_000, "x" * 199 + "…", id="huge"),
    ],
)
def test_a_subject_is_one_line(subject: str, shown: str) -> None:
    message = read(replace(MAIL, subject=subject))
    assert set(message.keys()) == HEADERS
    assert str(message["Subject"]) == shown


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        pytest.param("mail@auth.example", "", "mail@auth.example", id="no name"),
        pytest.param('Müller, "Söhne" <mail@auth.example>', 'Müller, "Söhne', "mail@auth.example", id="awkward"),
        pytest.param(f"{'n' * 9_000} <mail@auth.example>", "n" * 99 + "…", "mail@auth.example", id="huge"),
        pytest.param("A\x07B <mail@bücher.example>", "A B", "mail@xn--bcher-kva.example", id="bell and IDN"),
    ],
)
def test_the_sender_may_have_any_name(sender: str, name: str, address: str) -> None:
    message = read(MAIL, sender)
    (found,) = message["From"].addresses
    # Python's own reader puts a space where a long word was folded.
    assert found.display_name.replace("n n", "nn") == name
    assert found.addr_spec == address
    assert envelope_address(sender) == address


@pytest.mark.parametrize(
    ("address", "envelope"),
    [
        ("alice@example.com", "alice@example.com"),
        ("a.b+c@Example.COM", "a.b+c@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("jörg@bücher.example", "jörg@xn--bcher-kva.example"),
    ],
)
def test_a_domain_is_written_as_dns_knows_it(address: str, envelope: str) -> None:
    assert envelope_address(address) == envelope
    assert str(compose(replace(MAIL, to=address), SENDER, AT)["To"]) == envelope


@pytest.mark.parametrize(
    "address",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@example.com\r\nBcc: eve@example.com",
        "alice@example.com\r\nRCPT TO:<eve@example.com>",
        "a@example.com, eve@example.com",
        "a@example.com>,<eve@example.com",
        "eve@example.com@example.com",
        '"a b"@example.com',
        "a b@example.com",
        "a\x00@example.com",
        "a@[127.0.0.1]",
        "a@exa..mple.com",
        f"{'a' * 65}@example.com",
        f"a@{'b.' * 150}com",
    ],
)
def test_what_is_no_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(MailRefused) as refused:
        compose(replace(MAIL, to=address), SENDER, AT)
    assert "eve" not in str(refused.value)
