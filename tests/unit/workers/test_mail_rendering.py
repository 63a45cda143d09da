"""Every kind of mail in every language: what it says, how it looks, and what strangers' words do to it."""

import json
from collections.abc import Mapping
from importlib.resources import files
from string import Formatter
from typing import Any

import pytest

from authcenter.core.mail import Letter, MailKind
from authcenter.settings.policy_sections import BrandPolicy
from authcenter.stores.ports.mail import Mail
from authcenter.wiring.mail import mail_brand
from authcenter.workers.mail_rendering import MailRenderer, mail_environment
from authcenter.workers.mail_words import load_mail_catalogue

LANGUAGES = ("en", "de")
VALUES = {
    "name": "alice",
    "link": "/somewhere?token=abc",
    "minutes": "60",
    "address": "192.0.2.7",
    "left": "7",
    "provider": "Example",
    "identity": "alice@elsewhere.example",
}
WITH_LINK = {
    MailKind.CONFIRM_ADDRESS,
    MailKind.ADDRESS_HAS_ACCOUNT,
    MailKind.CONFIRM_NEW_ADDRESS,
    MailKind.RESET_PASSWORD,
}


def render(kind: MailKind, values: Mapping[str, str] = VALUES, language: str = "en", **brand: str) -> Mail:
    policy = BrandPolicy(**{"name": "Example & Co", **brand})
    renderer = MailRenderer(
        mail_environment(), load_mail_catalogue(), lambda: mail_brand(policy), "https://auth.example"
    )
    return renderer.render(Letter(kind, "alice@example.com", language, values), "id-1")


def words(language: str) -> dict[str, Any]:
    text = (files("authcenter") / "mails" / f"{language}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MailKind)
def test_each_kind_is_told_in_each_language(kind: MailKind, language: str) -> None:
    mail = render(kind, language=language)
    assert (mail.mail_id, mail.to, mail.language) == ("id-1", "alice@example.com", language)
    assert "Example & Co" in mail.subject
    assert f'<html lang="{language}">' in mail.html
    assert "Example &amp; Co" in mail.html
    for text in (mail.text, mail.html):
        assert "alice" in text
        assert ("https://auth.example/somewhere?token=abc" in text) == (kind in WITH_LINK)
        assert "{" not in text.replace("{{", "")
    assert mail.subject != render(kind, language="de" if language == "en" else "en").subject


@pytest.mark.parametrize("kind", MailKind)
def test_the_languages_say_the_same(kind: MailKind) -> None:
    def shape(language: str) -> list[Any]:
        own = words(language)[kind]
        names = [
            sorted(name for _, name, _, _ in Formatter().parse(sentence) if name)
            for part in ("before", "after")
            for sentence in own[part]
        ]
        return [sorted(own), *names]

    assert shape("de") == shape("en")
    assert set(words("de")) == set(words("en"))


@pytest.mark.parametrize("kind", MailKind)
def test_what_is_not_known_is_not_said(kind: MailKind) -> None:
    link = {"link": "/x?token=abc"} if kind in WITH_LINK else {}
    mail = render(kind, link)
    assert mail.text.startswith("Hello,\n")
    assert "{" not in mail.text


def test_a_mail_of_an_account_that_has_no_link_has_no_button() -> None:
    mail = render(MailKind.ADDRESS_HAS_ACCOUNT, {"username": "alice"})
    assert "Sign in" not in mail.text
    assert "alice" in mail.text
    assert "href" not in mail.html


@pytest.mark.parametrize(("wanted", "given"), [("de-AT", "de"), ("DE", "de"), ("fr", "en"), ("", "en")])
def test_a_language_that_there_is_not_is_english(wanted: str, given: str) -> None:
    assert render(MailKind.PASSWORD_CHANGED, language=wanted).language == given


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a\r\nBcc: b@example.com", "Hello a Bcc: b@example.com,", id="lines"),
        pytest.param("<b>&\"'", "Hello <b>&\"',", id="markup"),
        pytest.param("{brand} {0.__class__}", "Hello {brand} {0.__class__},", id="braces"),
        pytest.param("{{ 7 * 7 }}{% raw %}", "Hello {{ 7 * 7 }}{% raw %},", id="a template"),
        pytest.param("left\u202eright\u2028x", "Hello left right x,", id="what turns text around"),
        pytest.param("n" * 10_000, f"Hello {'n' * 149}…,", id="huge"),
        pytest.param(" \x00 ", "Hello,", id="nothing that is seen"),
    ],
)
def test_a_name_is_text_in_one_line(name: str, shown: str) -> None:
    mail = render(MailKind.PASSWORD_CHANGED, {"name": name})
    assert mail.text.splitlines()[0] == shown
    assert "<b>" not in mail.html.replace("<body", "")
    assert "alice" not in mail.subject


@pytest.mark.parametrize(
    ("logo", "shown"),
    [
        ("", None),
        ("/static/logo.svg", "https://auth.example/static/logo.svg"),
        ("https://x.example/l", "https://x.example/l"),
    ],
)
def test_it_looks_like_the_brand(logo: str, shown: str | None) -> None:
    mail = render(MailKind.CONFIRM_ADDRESS, logo=logo, color="#ffee00")
    assert ("<img" in mail.html) == (shown is not None)
    assert shown is None or f'src="{shown}"' in mail.html
    assert "background:#ffee00;color:#000000" in mail.html
