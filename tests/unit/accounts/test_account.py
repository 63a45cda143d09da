"""What a new account must look like."""

from typing import Any

import pytest

from authcenter.accounts.account import NewAccount, is_askable

GOOD: dict[str, Any] = {"username": "alice", "email": "alice@example.org", "roles": frozenset({"reader"})}


def fields_refused(**change: Any) -> list[str]:
    return [name for name, _ in NewAccount(**{**GOOD, **change}).problems()]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="plain"),
        pytest.param({"username": "Zoë van der Berg"}, id="blanks inside, letters of any script"),
        pytest.param({"username": "Alice@Example.org"}, id="own address as name"),
        pytest.param({"username": "x" * 255}, id="longest name"),
        pytest.param({"email": "a.b+c@mail.example.co.uk"}, id="dots and plus"),
        pytest.param({"email": "demo@localhost"}, id="host without dots"),
        pytest.param({"email": "josé@bücher.example"}, id="international address"),
        pytest.param({"roles": frozenset({"authcenter:operator", "a/b"})}, id="roles as tokens"),
        pytest.param({"subject": "usr_AbC-1_x"}, id="subject brought along"),
    ],
)
def test_a_sound_account_has_no_problem(change: dict[str, Any]) -> None:
    assert fields_refused(**change) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"username": ""}, "username", id="no name"),
        pytest.param({"username": "x" * 256}, "username", id="name too long"),
        pytest.param({"username": "\ufdfa" * 200}, "username", id="name too long once normalised"),
        pytest.param({"username": " alice"}, "username", id="blank before"),
        pytest.param({"username": "alice "}, "username", id="blank after"),
        pytest.param({"username": "ali\nce"}, "username", id="control character"),
        pytest.param({"username": "ali\u200bce"}, "username", id="invisible character"),
        pytest.param({"username": "ali\u202ece"}, "username", id="direction override"),
        pytest.param({"username": "ali\ud800ce"}, "username", id="lone surrogate"),
        pytest.param({"username": "usr_alice"}, "username", id="looks like a subject"),
        pytest.param({"username": "bob@example.org"}, "username", id="somebody else's address"),
        pytest.param({"username": "bob\uff20example.org"}, "username", id="somebody else's address in wide letters"),
        pytest.param({"email": ""}, "email", id="no address"),
        pytest.param({"email": "alice"}, "email", id="no host"),
        pytest.param({"email": "@example.org"}, "email", id="nobody"),
        pytest.param({"email": "alice@"}, "email", id="nowhere"),
        pytest.param({"email": "a@b@example.org"}, "email", id="two @"),
        pytest.param({"email": "a\uff20b@example.org"}, "email", id="two @, one wide"),
        pytest.param({"email": "a@example..org"}, "email", id="empty label"),
        pytest.param({"email": ".a@example.org"}, "email", id="dot before"),
        pytest.param({"email": "a@-example.org"}, "email", id="hyphen before"),
        pytest.param({"email": "a b@example.org"}, "email", id="blank"),
        pytest.param({"email": "a@example.org\n"}, "email", id="line break"),
        pytest.param({"email": "a,b@example.org"}, "email", id="two mailboxes"),
        pytest.param({"email": "Eve <a@example.org>"}, "email", id="display name"),
        pytest.param({"email": "x" * 65 + "@example.org"}, "email", id="local part too long"),
        pytest.param({"email": "a@" + "x." * 160 + "org"}, "email", id="too long"),
        pytest.param({"roles": frozenset({""})}, "roles", id="empty role"),
        pytest.param({"roles": frozenset({"two words"})}, "roles", id="role with a blank"),
        pytest.param({"roles": frozenset({"x" * 65})}, "roles", id="role too long"),
        pytest.param({"roles": frozenset(f"r{n}" for n in range(65))}, "roles", id="too many roles"),
        pytest.param({"subject": "alice"}, "sub", id="subject without prefix"),
        pytest.param({"subject": "usr_"}, "sub", id="nothing but the prefix"),
        pytest.param({"subject": "usr_" + "x" * 61}, "sub", id="subject too long"),
        pytest.param({"subject": "usr_a\n"}, "sub", id="subject with a line break"),
    ],
)
def test_a_field_that_does_not_hold_is_named(change: dict[str, Any], field: str) -> None:
    assert fields_refused(**change) == [field]


@pytest.mark.parametrize("login", ["", "   ", "a\0b", "x" * 5000, "\ud800"])
def test_what_cannot_be_a_name_is_not_asked_for(login: str) -> None:
    assert not is_askable(login)


@pytest.mark.parametrize("login", ["alice", " Alice ", "alice@example.org", "usr_abc"])
def test_what_can_be_a_name_is(login: str) -> None:
    assert is_askable(login)
