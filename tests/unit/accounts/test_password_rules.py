"""Which passwords people may choose, and what they are told about those they may not."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from authcenter.accounts.breached_passwords import BreachedPasswords
from authcenter.accounts.password_rules import PasswordReason, PasswordRefused, PasswordRules
from authcenter.accounts.password_strength import Advice, StrengthEstimate
from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.errors import InvalidInput, StoreUnavailable
from authcenter.core.secret import Secret

ABOUT = ("quimby", "jane.quimby@corp.example")

REFUSED = [
    pytest.param("", PasswordReason.SHORT, id="nothing"),
    pytest.param("xkqzvbn", PasswordReason.SHORT, id="seven characters"),
    pytest.param("a\u0308" * 7, PasswordReason.SHORT, id="seven characters, written as fourteen"),
    pytest.param("x" * 1025, PasswordReason.LONG, id="a character too many"),
    pytest.param("x" * 1_000_000, PasswordReason.LONG, id="a million characters"),
    pytest.param("kettle\0bracket", PasswordReason.CHARACTERS, id="a NUL"),
    pytest.param("kettle\ud800bracket", PasswordReason.CHARACTERS, id="half a character"),
    pytest.param("password", PasswordReason.COMMON, id="the commonest"),
    pytest.param("PassWord", PasswordReason.COMMON, id="the commonest, in other case"),
    pytest.param("Passw0rd!", PasswordReason.WEAK, id="the commonest, with substitutions"),
    pytest.param("aaaaaaaaaaaaaaaaaaaaaaaa", PasswordReason.WEAK, id="one character again and again"),
    pytest.param("abcdefghijklmnop", PasswordReason.WEAK, id="a sequence"),
    pytest.param("24.12.1999", PasswordReason.WEAK, id="a date"),
    pytest.param("Quimby2024", PasswordReason.ABOUT_YOU, id="the user name and a year"),
    pytest.param("jane.quimby@corp.example", PasswordReason.ABOUT_YOU, id="the address"),
    pytest.param("wobblegate1", PasswordReason.ABOUT_YOU, id="the service's name"),
    pytest.param("kettle bracket 7", PasswordReason.BREACHED, id="breached"),
]


@pytest.fixture
def rules(hashing: PasswordHashing, tmp_path: Path) -> PasswordRules:
    listed = sorted(_sha1(text) for text in ("kettle bracket 7", "another one", "and a third"))
    return PasswordRules(hashing, lambda: ["wobblegate"], BreachedPasswords(_file(tmp_path, listed)))


@pytest.mark.parametrize(("password", "reason"), REFUSED)
async def test_a_password_that_does_not_do_is_refused_with_its_reason(
    rules: PasswordRules, password: str, reason: PasswordReason
) -> None:
    with pytest.raises(PasswordRefused) as refused:
        await rules.check(Secret(password), ABOUT)
    assert refused.value.reason is reason
    assert isinstance(refused.value, InvalidInput)
    assert len(password) < 9 or password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        pytest.param("xkqzvbnw", id="eight random letters, all small"),
        pytest.param("kettle bracket violin", id="three words"),
        pytest.param("пароль моего кота", id="another alphabet"),
        pytest.param("x9$kQ" * 200, id="a thousand characters"),
        pytest.param(" kettle  bracket ", id="blanks around it"),
    ],
)
async def test_a_password_that_is_long_and_not_guessed_will_do(rules: PasswordRules, password: str) -> None:
    assert (await rules.check(Secret(password), ABOUT)).score >= 2


async def test_what_is_guessed_of_one_person_is_not_held_against_another(rules: PasswordRules) -> None:
    """zxcvbn keeps whom it judged last in a global: many at once must not meet each other's words."""

    async def judged(number: int) -> bool:
        name = f"zqxvkwj{number % 2}pf"
        try:
            await rules.check(Secret("zqxvkwj0pf" + "1"), [name])
        except PasswordRefused:
            return False
        return True

    # Fewer at once than the pool has places for.
    found = [await asyncio.gather(*map(judged, range(4))) for _ in range(25)]
    assert found == [[False, True, False, True]] * 25


ADVICE = [
    pytest.param("quimbyquimb", Advice.ABOUT_YOU, id="own name"),
    pytest.param("sunshine", Advice.COMMON, id="common"),
    pytest.param("mju76yhnb", Advice.KEYBOARD, id="a row of keys"),
    pytest.param("abcabcabcabc", Advice.REPEAT, id="repeats"),
    pytest.param("abcdefghijk", Advice.SEQUENCE, id="a sequence"),
    pytest.param("19991224", Advice.DATE, id="a date"),
    pytest.param("$un$h1ne", Advice.SUBSTITUTION, id="substitutions"),
]


@pytest.mark.parametrize(("password", "advice"), ADVICE)
def test_the_advice_names_what_makes_it_easy(password: str, advice: Advice) -> None:
    found = StrengthEstimate().of(password, ABOUT)
    assert advice in found.advice
    assert found.advice[-1] is Advice.MORE_WORDS
    assert found.score < 3


def test_a_strong_one_needs_no_advice() -> None:
    found = StrengthEstimate().of("kettle bracket violin", ABOUT)
    assert (found.score, found.advice, found.common) == (4, (), False)


def test_characters_that_stand_for_others_do_not_multiply_the_work() -> None:
    """zxcvbn tries every combination of them; 24 characters bound that."""
    stand_ins = "4@8({[<369!1|$57+0%2" * 4
    estimate = StrengthEstimate()
    assert estimate.of(stand_ins, ()) == estimate.of(stand_ins[:24], ())


@pytest.mark.parametrize("ending", ["\n", "\r\n", ":7\r\n", ":123456789\n"], ids=repr)
@pytest.mark.parametrize("lower", [False, True], ids=["upper case", "lower case"])
def test_every_line_of_the_list_is_found_and_nothing_else(tmp_path: Path, ending: str, lower: bool) -> None:
    listed = sorted(_sha1(f"password {number}") for number in range(100))
    file = tmp_path / "list"
    file.write_bytes("".join((line.lower() if lower else line) + ending for line in listed).encode())
    breached = BreachedPasswords(file)
    assert all(breached.have(f"password {number}") for number in range(100))
    assert not any(breached.have(f"password {number}") for number in range(100, 300))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_short_lists_are_read_to_their_ends(tmp_path: Path, count: int) -> None:
    listed = sorted(_sha1(f"password {number}") for number in range(count))
    file = tmp_path / "list"
    file.write_text("\n".join(listed))
    breached = BreachedPasswords(file)
    assert [breached.have(f"password {number}") for number in range(4)] == [number < count for number in range(4)]


@pytest.mark.parametrize(
    "content",
    [pytest.param(b"kettle bracket\n" * 20, id="passwords"), pytest.param(b"x" * 1000, id="one line without end")],
)
def test_a_file_that_is_no_such_list_says_so_and_lets_nothing_through(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "list"
    file.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="breached"):
        BreachedPasswords(file).have("kettle bracket violin")


async def test_without_the_list_nobody_is_told_that_a_password_is_fine(
    hashing: PasswordHashing, tmp_path: Path
) -> None:
    rules = PasswordRules(hashing, list, BreachedPasswords(tmp_path / "gone"))
    with pytest.raises(StoreUnavailable, match="No such file"):
        await rules.check(Secret("kettle bracket violin"), ABOUT)


def _sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest().upper()


def _file(folder: Path, lines: list[str]) -> Path:
    file = folder / "breached"
    file.write_text("".join(f"{line}:3\r\n" for line in lines), newline="")
    return file
