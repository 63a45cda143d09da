"""Signing in with a password: one answer and one cost for every failure."""

from dataclasses import replace
from typing import Any

import bcrypt
import pytest

from authcenter.accounts.account import NewAccount
from authcenter.core.errors import ErrorCode, OAuthError, Overloaded, StoreUnavailable
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret

PASSWORD = "correct horse"


@pytest.fixture
async def accounts(bench: Any) -> Any:
    await bench.accounts.create("alice", "alice@example.org", Secret(PASSWORD), actor="cli:root")
    await bench.accounts.create("gone", "gone@example.org", Secret(PASSWORD), actor="cli:root")
    await bench.accounts.disable("gone", actor="cli:root")
    await bench.accounts.create("new", "new@example.org", Secret(PASSWORD), email_verified=False, actor="cli:root")
    return bench.accounts


@pytest.mark.parametrize("login", ["alice", "ALICE", "alice@example.org"])
async def test_name_or_address_and_password_give_the_user(accounts: Any, login: str) -> None:
    assert (await accounts.authenticate(login, PASSWORD)).username == "alice"


@pytest.mark.parametrize(
    ("login", "password", "rule"),
    [
        pytest.param("nobody", PASSWORD, Rule.USER_UNKNOWN, id="unknown"),
        pytest.param("a\0b", PASSWORD, Rule.USER_UNKNOWN, id="no name at all"),
        pytest.param("", "", Rule.USER_UNKNOWN, id="nothing"),
        pytest.param("nobody", "x" * 2000, Rule.USER_UNKNOWN, id="unknown, password too long"),
        pytest.param("alice", "wrong", Rule.USER_PASSWORD_WRONG, id="wrong password"),
        pytest.param("alice", "", Rule.USER_PASSWORD_WRONG, id="no password"),
        pytest.param("alice", "x" * 2000, Rule.USER_PASSWORD_WRONG, id="password too long"),
        pytest.param("gone", "wrong", Rule.USER_PASSWORD_WRONG, id="disabled, wrong password"),
        pytest.param("gone", PASSWORD, Rule.USER_DISABLED, id="disabled"),
        pytest.param("new", "wrong", Rule.USER_PASSWORD_WRONG, id="unverified, wrong password"),
        pytest.param("new", PASSWORD, Rule.USER_ADDRESS_UNVERIFIED, id="unverified"),
    ],
)
async def test_every_failure_has_one_wording_and_costs_one_hash(
    accounts: Any, computed: list[str], login: str, password: str, rule: Rule
) -> None:
    computed.clear()
    with pytest.raises(OAuthError) as refused:
        await accounts.authenticate(login, password)
    refusal = refused.value
    assert (refusal.code, refusal.description) == (ErrorCode.INVALID_GRANT, "The grant is not valid.")
    assert refusal.rule is rule
    assert computed == ["argon2"]


async def test_the_hint_never_repeats_what_was_typed(accounts: Any) -> None:
    for login, password in (("my-secret-typed-here", PASSWORD), ("alice", "my-secret-typed-here")):
        with pytest.raises(OAuthError) as refused:
            await accounts.authenticate(login, password)
        assert "typed" not in str(refused.value)


async def import_old(bench: Any, password: str) -> tuple[str, str]:
    old = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
    account = NewAccount("old", "old@example.org", frozenset())
    return (await bench.accounts.add(account, old, actor="cli:root")).subject, old


# Six characters: today nobody could choose it, but whoever has it gets in.
@pytest.mark.parametrize("password", ["hunter", "a longer password"])
async def test_a_bcrypt_hash_is_upgraded_by_signing_in(bench: Any, password: str) -> None:
    subject, old = await import_old(bench, password)
    with pytest.raises(OAuthError):
        await bench.accounts.authenticate("old", "wrong")
    assert bench.hash_of(subject) == old
    await bench.accounts.authenticate("old", password)
    assert bench.hash_of(subject).startswith("$argon2id$")
    assert (await bench.accounts.authenticate("old", password)).subject == subject


class CannotWrite:
    """A store that reads but does not write."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def upgrade_password_hash(self, subject: str, old: str, new: str) -> bool:
        raise StoreUnavailable("read only")


async def test_a_failed_upgrade_does_not_fail_the_sign_in(bench: Any) -> None:
    subject, old = await import_old(bench, "hunter22")
    accounts = replace(bench.accounts, store=CannotWrite(bench.store))
    assert (await accounts.authenticate("old", "hunter22")).subject == subject
    assert bench.hash_of(subject) == old


async def test_a_full_pool_says_try_again_for_known_and_unknown_alike(accounts: Any) -> None:
    accounts.hashing.close()
    for login in ("alice", "nobody"):
        with pytest.raises(Overloaded):
            await accounts.authenticate(login, PASSWORD)
