"""``authcenter users``: search, set-roles, sessions, identities, second factors."""

import secrets
from typing import Any

import pytest

from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.identity import Identity
from authcenter.core.session import Session
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_oversight
from tests.integration.cli.console import Console
from tests.workbench import ORIGIN


def names(found: Any) -> list[str]:
    return [user["username"] for user in found]


def test_users_are_found_and_the_rest_is_announced(console: Console) -> None:
    made = [console.user(f"jo{number}") for number in range(3)]
    console.user("bob")
    assert console.told("users", "search", "JO") == made
    assert names(console.told("users", "search", made[1]["sub"])) == ["jo1"]
    assert names(console.told("users", "search", "jo2@ex")) == ["jo2"]
    assert console.told("users", "search", "nobody") == []
    some = console.run("users", "search", "jo", "--limit", "2", "--json")
    assert (some.exit_code, some.err) == (0, "authcenter: there are more: --after 'jo1'\n")
    assert names(console.told("users", "search", "jo", "--limit", "2", "--after", "jo1")) == ["jo2"]


@pytest.mark.parametrize(
    "arguments",
    [["\udcff"], ["a\x00b"], ["a", "--after", "\udcff"], ["a", "--limit", "0"], ["a", "--limit", "x"]],
    ids=ascii,
)
def test_a_search_that_is_none_is_wrong_usage(console: Console, arguments: list[str]) -> None:
    console.refused("users", "search", *arguments, exit_code=2)


def test_roles_are_set_and_what_said_a_lost_one_is_cut(console: Console) -> None:
    made = console.user("jo", "--role", "reader")
    given = console.told("users", "set-roles", "jo", "--role", "reader", "--role", "operator")
    assert given["roles"] == ["operator", "reader"]
    assert console.rows("SELECT kind FROM revocation_cuts") == []
    assert console.told("users", "set-roles", "jo")["roles"] == []
    assert console.rows("SELECT kind, value FROM revocation_cuts") == [("sub", made["sub"])]
    assert console.events() == ["user.created", "user.roles_set", "user.roles_set"]
    assert console.refused("users", "set-roles", "jo", "--role", "two words", exit_code=2).startswith("roles: ")


def test_sessions_are_listed_and_ended(console: Console) -> None:
    console.user("jo")
    first: Session = console.act(_sign_in)
    second: Session = console.act(_sign_in)
    listed = console.told("users", "sessions", "jo")
    assert {one["sid"] for one in listed} == {first.session_id, second.session_id}
    assert listed[0]["user_agent"] == "tests"
    assert console.run("users", "end-session", "jo", first.session_id).exit_code == 0
    assert [one["sid"] for one in console.told("users", "sessions", "jo")] == [second.session_id]
    assert console.rows("SELECT kind, value FROM revocation_cuts") == [("sid", first.session_id)]
    assert console.events()[-1] == "session.ended"


@pytest.mark.parametrize("act", ["disable", "logout", "require-reset"])
def test_whoever_is_put_out_has_no_sessions_left(console: Console, act: str) -> None:
    console.user("jo")
    console.act(_sign_in)
    console.told("users", act, "jo")
    assert console.told("users", "sessions", "jo") == []


@pytest.mark.parametrize("sid", ["nobody", "\udcff", "x" * 10_000], ids=lambda sid: ascii(sid[:9]))
def test_a_session_that_is_not_the_users_is_not_ended(console: Console, sid: str) -> None:
    console.user("jo")
    console.user("bob")
    session: Session = console.act(_sign_in)
    for wrong in (sid, session.session_id):
        said = console.refused("users", "end-session", "bob", wrong, exit_code=1)
        assert "has no session" in said
        assert len(said) < 200
    assert len(console.told("users", "sessions", "jo")) == 1


def test_identities_are_listed_and_unlinked(console: Console) -> None:
    made = console.user("jo")
    console.user("bob")
    console.act(_link)
    (listed,) = console.told("users", "identities", "jo")
    assert (listed["provider"], listed["provider_subject"], listed["email"]) == ("google", "1", "jo@gmail.example")
    assert "has no identity" in console.refused("users", "unlink", "bob", "google", "1", exit_code=1)
    assert console.run("users", "unlink", "jo", "google", "1").exit_code == 0
    assert console.told("users", "identities", made["sub"]) == []
    assert console.events()[-1] == "identity.unlinked"
    assert console.rows("SELECT job FROM outbox") == [("mail",)]


def test_a_user_without_second_factors_has_none(console: Console) -> None:
    console.user("jo")
    assert console.told("users", "second-factors", "jo") == []


@pytest.mark.parametrize(
    "words",
    [["sessions"], ["identities"], ["second-factors"], ["set-roles"], ["end-session", "x"], ["unlink", "google", "1"]],
    ids=lambda words: words[0],
)
def test_an_unknown_user_is_named(console: Console, words: list[str]) -> None:
    act, *more = words
    assert console.refused("users", act, "nobody", *more, exit_code=1) == "no user 'nobody'"


async def _sign_in(core: Core) -> Session:
    user = await core.accounts.get("jo")
    cookie = Digest(secrets.token_bytes(32))
    return await build_oversight(core).sessions.sign_in(user, cookie, ORIGIN, amr=["pwd"])


async def _link(core: Core) -> None:
    user, now = await core.accounts.get("jo"), core.clock.now()
    identity = Identity("google", "1", user.subject, "jo@gmail.example", "Jo", now, now)
    assert await core.stores.identities.link(identity, NO_CONSEQUENCES)
