"""What a page tells of a password: reason and advice in words, the strength as a meter."""

import hashlib
import re
from pathlib import Path

import pytest

from authcenter.accounts.breached_passwords import BreachedPasswords
from authcenter.accounts.password_rules import PasswordReason, PasswordRules
from authcenter.accounts.password_strength import Advice
from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.secret import Secret
from authcenter.http.pages.messages import load_catalogue
from authcenter.http.pages.password_meter import judge
from authcenter.http.pages.rendering import page_environment
from tests.workbench import Workbench

CATALOGUE = load_catalogue()


async def shown(rules: PasswordRules, password: str, language: str = "en") -> str:
    judged = await judge(rules, Secret(password), ["quimby"])
    template = page_environment().get_template("password_meter.html")
    return template.render(judged=judged, t=CATALOGUE.languages[language])


@pytest.mark.parametrize(
    ("password", "says", "value"),
    [
        pytest.param("quimby7", "too short", "1", id="short"),
        pytest.param("sunshine", "tried first", "0", id="common"),
        pytest.param("quimby2024", "your name", "1", id="about you"),
        pytest.param("kettle bracket violin", "strong", "4", id="strong"),
    ],
)
async def test_it_says_why_and_how_strong(bench: Workbench, password: str, says: str, value: str) -> None:
    told = await shown(bench.core.password_rules, password)
    assert says in told
    assert re.search(r'<meter [^>]*value="(\d)"', told)[1] == value  # type: ignore[index]
    assert ('role="alert"' in told) is (says != "strong")
    assert password not in told


async def test_nothing_is_estimated_of_what_is_too_long(bench: Workbench) -> None:
    told = await shown(bench.core.password_rules, "x" * 1025, "de")
    assert "zu lang" in told
    assert "<meter" not in told


@pytest.mark.parametrize("language", sorted(CATALOGUE.languages))
@pytest.mark.parametrize("name", [*PasswordReason, *(f"password.advice.{advice}" for advice in Advice)])
def test_every_reason_and_advice_has_words(name: str, language: str) -> None:
    assert CATALOGUE.languages[language].get(name)


async def test_a_breached_one_is_not_praised(cheap_hashing: PasswordHashing, tmp_path: Path) -> None:
    password = "kettle bracket violin"
    file = tmp_path / "breached"
    file.write_text(hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper() + ":3\n")
    judged = await judge(PasswordRules(cheap_hashing, list, BreachedPasswords(file)), Secret(password), [])
    assert judged.reason is PasswordReason.BREACHED
    assert judged.strength is not None
    assert judged.strength.score == 1
