"""``authcenter clients import`` and ``authcenter users import``."""

import json
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from argon2 import PasswordHasher

from authcenter.wiring.core import Core
from tests.integration.cli.console import PASSWORD, Console

ARGON2 = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
CLIENT = {"client_id": "shop", "client_secret_hash": ARGON2}
USER = {"username": "jo", "email": "jo@example.com", "password_hash": BCRYPT}
FULL_CLIENT = {
    **CLIENT,
    "client_name": "Шоп 🦊",
    "profile": "oidc",
    "token_endpoint_auth_method": "client_secret_post",
    "grant_types": ["client_credentials"],
    "scope": "read write",
    "audiences": ["https://a.example"],
    "serves": ["https://shop.example"],
    "redirect_uris": ["https://shop.example/cb"],
    "origins": ["https://o.example"],
    "first_party": True,
}


def lines(*values: Any) -> str:
    return "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)


def test_a_client_comes_with_all_it_has(console: Console) -> None:
    report = console.told("clients", "import", stdin=lines(FULL_CLIENT))
    assert report == {"created": 1, "skipped": 0, "failed": 0, "dry_run": False, "problems": []}
    shown = console.told("clients", "show", "shop")
    assert (shown["name"], shown["profile"], shown["first_party"]) == ("Шоп 🦊", "oidc", True)
    assert (shown["auth_methods"], shown["scopes"]) == (["client_secret_post"], ["read", "write"])
    assert (shown["audiences"], shown["serves"]) == (["https://a.example"], ["https://shop.example"])
    assert (shown["redirect_uris"], shown["origins"]) == (["https://shop.example/cb"], ["https://o.example"])
    assert len(console.told("resources", "list")) == 2


@pytest.mark.parametrize("stored", [ARGON2, BCRYPT], ids=["argon2", "bcrypt"])
def test_an_imported_client_keeps_its_secret(console: Console, stored: str) -> None:
    console.told("clients", "import", stdin=lines({**CLIENT, "client_secret_hash": stored}))

    async def verifies(core: Core) -> bool:
        return await core.secrets.verify(await core.clients.get("shop"), PASSWORD)

    assert console.act(verifies)


def test_a_public_client_comes_without_a_hash(console: Console) -> None:
    console.told("clients", "import", stdin=lines({"client_id": "app", "token_endpoint_auth_method": "none"}))
    assert console.told("clients", "show", "app")["public"] is True


def test_a_scope_may_be_an_array_too(console: Console) -> None:
    console.told("clients", "import", stdin=lines({**CLIENT, "scope": ["b", "a"]}))
    assert console.told("clients", "show", "shop")["scopes"] == ["a", "b"]


BAD_CLIENTS = [
    pytest.param({"client_id": "x"}, "client_secret_hash: missing", id="no hash"),
    pytest.param({**CLIENT, "client_secret_hash": "plain"}, "client_secret_hash: neither", id="plain secret"),
    pytest.param({**CLIENT, "client_secret_hash": ""}, "client_secret_hash: empty", id="empty hash"),
    pytest.param({**CLIENT, "client_secret_hash": None}, "client_secret_hash: not a string", id="null hash"),
    pytest.param({"client_secret_hash": ARGON2}, "client_id: missing", id="no id"),
    pytest.param({**CLIENT, "client_id": "a b"}, "client_id: ", id="id"),
    pytest.param({**CLIENT, "client_id": "usr_x"}, "client_id: usr_", id="id of a user"),
    pytest.param({**CLIENT, "client_name": "a\nb"}, "client_name: ", id="name"),
    pytest.param({**CLIENT, "profile": "oauth1"}, "profile: none of oauth21", id="profile"),
    pytest.param({**CLIENT, "profile": 7}, "profile: not a string", id="profile number"),
    pytest.param({**CLIENT, "profile": "fapi2"}, "client_secret_hash: the client takes no secret", id="fapi2 secret"),
    pytest.param({**CLIENT, "token_endpoint_auth_method": "none"}, "client_secret_hash: the client", id="public hash"),
    pytest.param({**CLIENT, "token_endpoint_auth_method": "tls"}, "token_endpoint_auth_method: none of", id="method"),
    pytest.param({**CLIENT, "grant_types": ["magic"]}, "grant_types: 'magic' is none of", id="grant"),
    pytest.param({**CLIENT, "grant_types": "magic"}, "grant_types: not an array", id="grant string"),
    pytest.param({**CLIENT, "scope": 'a"b'}, "scope: ", id="scope"),
    pytest.param({**CLIENT, "scope": 1}, "scope: not an array", id="scope number"),
    pytest.param({**CLIENT, "audiences": ["a#b"]}, "audiences: ", id="audience"),
    pytest.param({**CLIENT, "serves": ["a b"]}, "serves: ", id="serves"),
    pytest.param({**CLIENT, "redirect_uris": ["/x"]}, "redirect_uris: ", id="redirect URI"),
    pytest.param({**CLIENT, "origins": ["https://a/"]}, "origins: ", id="origin"),
    pytest.param({**CLIENT, "first_party": "yes"}, "first_party: not true or false", id="flag"),
    pytest.param({**CLIENT, "client_secret": "x"}, "'client_secret': unknown field", id="unknown field"),
    pytest.param({**CLIENT, "client_id": "a\0b"}, "holds a NUL", id="NUL"),
    pytest.param({**CLIENT, "client_name": "\ud800"}, "holds a NUL or a lone surrogate", id="surrogate"),
    pytest.param("[]", "not a JSON object", id="array"),
    pytest.param("{", "not JSON", id="no JSON"),
    pytest.param('{"client_id": "a", "client_id": "b"}', "a field is there twice", id="twice"),
    pytest.param({**CLIENT, "client_name": "x" * 70_000}, "over 65536 bytes", id="long line"),
    pytest.param(" " * 200_000 + "{}", "over 65536 bytes", id="long blank line"),
]


@pytest.mark.parametrize(("line", "says"), BAD_CLIENTS)
def test_a_bad_line_is_named_and_the_others_are_imported(console: Console, line: Any, says: str) -> None:
    public = {"token_endpoint_auth_method": "none"}
    stdin = lines({"client_id": "before", **public}, line, "", {"client_id": "after", **public})
    done = console.run("clients", "import", "--json", stdin=stdin)
    report = json.loads(done.out)
    assert (done.exit_code, report["created"], report["failed"]) == (1, 2, 1)
    assert done.err.startswith(f"authcenter: line 2: {says}")
    assert ARGON2 not in done.out + done.err
    assert [one["client_id"] for one in console.told("clients", "list")] == ["after", "before"]


def test_bytes_that_are_no_text_spoil_their_line_only(console: Console) -> None:
    done = console.run("users", "import", stdin=b'{"username": "\xff"}\n' + lines(USER).encode())
    assert (done.exit_code, done.err) == (1, "authcenter: line 1: not UTF-8\n")
    assert [one["username"] for one in console.told("users", "list")] == ["jo"]


KINDS = pytest.mark.parametrize(
    ("noun", "one", "other", "bad"),
    [
        ("clients", CLIENT, {**CLIENT, "client_id": "till"}, {"client_id": ""}),
        ("users", USER, {**USER, "username": "al", "email": "al@example.com"}, {**USER, "password_hash": "plain"}),
    ],
    ids=["clients", "users"],
)


@KINDS
def test_the_same_file_can_be_imported_again(console: Console, noun: str, one: Any, other: Any, bad: Any) -> None:
    assert console.told(noun, "import", stdin=lines(one))["created"] == 1
    before = console.told(noun, "list")
    again = console.told(noun, "import", stdin=lines(one, other))
    assert (again["created"], again["skipped"]) == (1, 1)
    assert before[0] in console.told(noun, "list")
    assert len(console.events()) == 2


@KINDS
def test_a_dry_run_checks_all_and_writes_nothing(console: Console, noun: str, one: Any, other: Any, bad: Any) -> None:
    console.told(noun, "import", stdin=lines(one))
    before = console.dump()
    done = console.run(noun, "import", "--dry-run", "--json", stdin=lines(one, other, bad))
    report = json.loads(done.out)
    assert done.exit_code == 1
    assert [report[name] for name in ("created", "skipped", "failed", "dry_run")] == [1, 1, 1, True]
    assert console.dump() == before


@KINDS
def test_a_line_that_repeats_another_is_refused(console: Console, noun: str, one: Any, other: Any, bad: Any) -> None:
    done = console.run(noun, "import", stdin=lines(one, one))
    assert done.exit_code == 1
    assert "line 2: " in done.err
    assert "the same as in line 1" in done.err
    assert len(console.told(noun, "list")) == 1


@KINDS
def test_a_file_may_be_named(console: Console, tmp_path: Path, noun: str, one: Any, other: Any, bad: Any) -> None:
    file = tmp_path / "ввод.jsonl"
    file.write_bytes(b"\xef\xbb\xbf" + lines(one).encode() + json.dumps(other).encode())
    done = console.run(noun, "import", str(file))
    assert (done.exit_code, done.err) == (0, "")
    assert "created  2" in done.out.replace(":", "")


@pytest.mark.parametrize("noun", ["clients", "users"])
def test_a_file_that_is_not_there_is_wrong_usage(console: Console, noun: str) -> None:
    assert "No such file" in console.refused(noun, "import", "nowhere.jsonl", exit_code=2)


@pytest.mark.parametrize("noun", ["clients", "users"])
def test_an_empty_file_is_no_problem(console: Console, noun: str) -> None:
    assert console.told(noun, "import", stdin=b"")["created"] == 0


def test_a_user_signs_in_with_the_password_it_brought(console: Console) -> None:
    console.told("users", "import", stdin=lines({**USER, "username": "Jürgen", "roles": ["r"], "sub": "usr_1"}))

    async def subject(core: Core) -> str:
        return (await core.accounts.authenticate("jürgen", PASSWORD)).subject

    assert console.act(subject) == "usr_1"


def test_many_lines_of_any_length_are_read(console: Console) -> None:
    stdin = lines(*("x" * 1_000_000 for _ in range(5)), USER)
    done = console.run("users", "import", stdin=stdin)
    assert done.err.count("over 65536 bytes") == 5
    assert len(console.told("users", "list")) == 1
