"""``authcenter users``."""

import unicodedata

import pytest

from authcenter.core.errors import OAuthError
from authcenter.core.rules import Rule
from authcenter.wiring.core import Core
from tests.integration.cli.console import PASSWORD, Console

NAMED = ("users", "create", "--username", "jo", "--email", "jo@example.com")


def test_a_user_is_made_shown_and_listed(console: Console) -> None:
    made = console.user("jürgen", "--role", "reader", "--role", "clerk")
    assert made["sub"].startswith("usr_")
    assert (made["username"], made["roles"]) == ("jürgen", ["clerk", "reader"])
    assert (made["email_verified"], made["disabled"]) == (True, False)
    composed_otherwise = unicodedata.normalize("NFD", "JÜRGEN")
    for name in ("jürgen", composed_otherwise, "jürgen@example.com", made["sub"]):
        assert console.told("users", "show", name) == made
    assert console.told("users", "list") == [made]
    assert signs_in(console, "jürgen", PASSWORD)


@pytest.mark.parametrize(
    ("given", "password"),
    [
        pytest.param("pass word 1\n", "pass word 1", id="line end"),
        pytest.param("pass word 1\r\n", "pass word 1", id="line end of Windows"),
        pytest.param("pass word 1\n\n", "pass word 1\n", id="two line ends: one is of the password"),
        pytest.param(" pass word ", " pass word ", id="blanks"),
        pytest.param("пароль пароль", "пароль пароль", id="beyond ASCII"),
    ],
)
def test_one_line_end_after_the_password_is_dropped(console: Console, given: str, password: str) -> None:
    console.told(*NAMED, "--password-stdin", stdin=given)
    assert signs_in(console, "jo", password)


def test_a_user_whose_address_is_unverified_does_not_sign_in(console: Console) -> None:
    made = console.user("jo", "--email-unverified")
    assert made["email_verified"] is False
    assert refusal(console, "jo", PASSWORD) is Rule.USER_ADDRESS_UNVERIFIED


WRONG = [
    pytest.param(["--username", "", "--email", "a@example.com"], PASSWORD, "username: ", id="no name"),
    pytest.param(["--username", "usr_x", "--email", "a@example.com"], PASSWORD, "username: ", id="name of a subject"),
    pytest.param(["--username", "a\x00b", "--email", "a@example.com"], PASSWORD, "username: ", id="NUL"),
    pytest.param(["--username", "\udcff", "--email", "a@example.com"], PASSWORD, "username: ", id="not text"),
    pytest.param(["--username", "n" * 100_000, "--email", "a@example.com"], PASSWORD, "username: ", id="huge name"),
    pytest.param(["--username", "a", "--email", "a"], PASSWORD, "email: ", id="no address"),
    pytest.param(["--username", "a", "--email", "a@example.com", "--role", "x y"], PASSWORD, "roles: ", id="role"),
    pytest.param(["--username", "a", "--email", "a@example.com"], "short", "password: ", id="short password"),
    pytest.param(["--username", "a", "--email", "a@example.com"], "", "password: ", id="no password"),
    pytest.param(["--username", "a", "--email", "a@example.com"], "x" * 2_000, "password: ", id="long password"),
    pytest.param(["--username", "quimby", "--email", "a@example.com"], "quimby2024", "password: made", id="own name"),
    pytest.param(["--username", "a", "--email", "a@example.com"], "sunshine", "password: one of the most", id="common"),
    pytest.param(["--username", "a", "--email", "a@example.com"], b"\xff" * 9, "the password on standard", id="bytes"),
    pytest.param(["--username", "a", "--email", "a@example.com"], "x" * 70_000, "the password on standard", id="huge"),
    pytest.param(["--username", "a"], PASSWORD, "Missing option '--email'", id="address missing"),
]


@pytest.mark.parametrize(("arguments", "stdin", "says"), WRONG)
def test_bad_input_is_refused_and_nothing_is_written(
    console: Console, arguments: list[str], stdin: str | bytes, says: str
) -> None:
    said = console.refused("users", "create", *arguments, "--password-stdin", stdin=stdin, exit_code=2)
    assert said.lower().startswith(says.lower())
    assert console.rows("SELECT * FROM users") == []
    assert not stdin or str(stdin) not in said


@pytest.mark.parametrize("arguments", [NAMED, ("users", "set-password", "jo")])
def test_without_a_terminal_the_password_must_be_announced(console: Console, arguments: tuple[str, ...]) -> None:
    assert "--password-stdin" in console.refused(*arguments, stdin=PASSWORD, exit_code=2)


@pytest.mark.parametrize(
    ("username", "email"), [("Jo", "new@example.com"), ("new", "JO@example.com")], ids=["name", "address"]
)
def test_names_and_addresses_are_taken_once(console: Console, username: str, email: str) -> None:
    console.user("jo")
    words = ("users", "create", "--username", username, "--email", email, "--password-stdin")
    assert "taken" in console.refused(*words, stdin=PASSWORD, exit_code=1)
    assert len(console.told("users", "list")) == 1


@pytest.mark.parametrize("act", ["show", "disable", "enable", "logout", "require-reset", "set-password"])
@pytest.mark.parametrize("name", ["nobody", "usr_nobody", "\udcff", "a\x00", "n" * 100_000], ids=ascii)
def test_an_unknown_user_is_named(console: Console, act: str, name: str) -> None:
    options = ("--password-stdin",) if act == "set-password" else ()
    said = console.refused("users", act, name, *options, stdin=PASSWORD, exit_code=1)
    assert said.startswith("no user ")
    assert len(said) < 120


def test_disabling_and_enabling_repeat_harmlessly(console: Console) -> None:
    console.user("jo")
    for act, disabled in (("disable", True), ("disable", True), ("enable", False), ("enable", False)):
        assert console.told("users", act, "jo")["disabled"] is disabled
    assert console.events() == ["user.created", "user.disabled", "user.enabled"]


def test_a_new_password_replaces_the_old_and_cuts_what_was_issued(console: Console) -> None:
    made = console.user("jo")
    console.told("users", "set-password", "jo", "--password-stdin", stdin="another password\n")
    assert refusal(console, "jo", PASSWORD) is Rule.USER_PASSWORD_WRONG
    assert signs_in(console, "jo", "another password")
    assert console.rows("SELECT kind, value FROM revocation_cuts") == [("sub", made["sub"])]


@pytest.mark.parametrize("given", ["short", "password", "jo@example.com"])
def test_a_bad_password_leaves_the_old_one(console: Console, given: str) -> None:
    console.user("jo")
    console.refused("users", "set-password", "jo", "--password-stdin", stdin=given, exit_code=2)
    assert signs_in(console, "jo", PASSWORD)


def test_logging_out_cuts_what_was_issued(console: Console) -> None:
    made = console.user("jo")
    console.told("users", "logout", "jo")
    cuts = console.rows("SELECT kind, value, reason, up_to IS NOT NULL FROM revocation_cuts")
    assert cuts == [("sub", made["sub"], "logged out", 1)]


def test_a_demand_for_a_new_password_stops_the_old_one_and_cuts_what_was_issued(console: Console) -> None:
    made = console.user("jo")
    assert made["reset_required"] is False
    assert console.told("users", "require-reset", "jo")["reset_required"] is True
    cuts = console.rows("SELECT kind, value, reason FROM revocation_cuts")
    assert cuts == [("sub", made["sub"], "new password required")]
    assert console.events()[-1] == "user.reset_required"
    assert console.told("users", "show", "jo")["reset_required"] is True


def test_a_password_is_nowhere(console: Console) -> None:
    console.user("jo")
    console.told("users", "set-password", "jo", "--password-stdin", stdin="another password\n")
    ((stored,),) = console.rows("SELECT password_hash FROM users")
    listed = [console.run("users", *words).out for words in (["list"], ["show", "jo"], ["list", "--json"])]
    assert not [text for text in listed if stored in text]
    assert stored not in str(console.rows("SELECT * FROM auth_audit"))
    assert not {"another password", PASSWORD} & set(console.dump().split("'"))


def signs_in(console: Console, login: str, password: str) -> bool:
    return refusal(console, login, password) is None


def refusal(console: Console, login: str, password: str) -> Rule | None:
    async def act(core: Core) -> Rule | None:
        try:
            await core.accounts.authenticate(login, password)
        except OAuthError as refused:
            return refused.rule
        return None

    rule: Rule | None = console.act(act)
    return rule
