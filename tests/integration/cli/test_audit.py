"""``authcenter audit``: the log listed, exported, archived and proven, as an auditor does it."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from authcenter.audit.chain import GENESIS, link
from authcenter.audit.issued_together import OwnToken, Shared
from authcenter.core.clock import SystemClock
from authcenter.core.event import Event, EventKind
from authcenter.core.ids import RequestId, new_jti, uuid7
from authcenter.core.origin import RequestOrigin
from authcenter.wiring.core import Core
from tests.integration.cli.console import Console
from tests.issued import together

SHARED = Shared("shop", "192.0.2.1", "tests", "key 1", "https://api.example", "read", "client_authentication")


def issue(console: Console, number: int) -> list[OwnToken]:
    """Tokens of one client, of one flush: they share a row."""
    request = uuid7()[:-4]
    tokens = [OwnToken("ab" * 32, 2, "f", 1, new_jti(), f"{request}{one:04x}") for one in range(number)]
    now = SystemClock().now()
    ((at, event, _),) = together([(now, (SHARED, token)) for token in tokens])

    async def append(core: Core) -> None:
        await core.stores.trail.append([link(event, at, uuid7(), 1, GENESIS)])

    console.act(append)
    return tokens


def altered(console: Console, statement: str) -> None:
    connection = sqlite3.connect(console.database)
    with connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


def lines(done: Any) -> list[str]:
    assert done.exit_code == 0, done.err
    return list(done.out.splitlines())


def test_what_happened_is_listed_the_newest_first(console: Console) -> None:
    console.user("alice")
    console.user("bob")
    assert console.run("users", "disable", "alice").exit_code == 0
    listed = lines(console.run("audit", "list"))
    assert [line.split()[1] for line in listed] == ["user.disabled", "user.created", "user.created"]
    assert len(lines(console.run("audit", "list", "--event", "user.created"))) == 2
    assert len(lines(console.run("audit", "list", "--event", "user.", "--since", "1h"))) == 3
    assert lines(console.run("audit", "list", "--until", "1h")) == []
    (row,) = console.told("audit", "list", "--event", "user.disabled")
    assert (row["event"], row["sequence"], len(row["row_hash"])) == ("user.disabled", 1, 64)
    (about,) = {row["subject"] for row in console.told("audit", "list", "--person", row["subject"])}
    assert about == row["subject"]


def test_of_more_than_are_shown_it_says_so(console: Console) -> None:
    for name in ("alice", "bob", "carol"):
        console.user(name)
    done = console.run("audit", "list", "--most", "2")
    assert len(lines(done)) == 2
    assert "older ones" in done.err
    assert "older" not in console.run("audit", "list", "--most", "3").err


def test_each_of_the_tokens_that_share_a_row_is_listed_and_found(console: Console) -> None:
    tokens = issue(console, 3)
    listed = lines(console.run("audit", "list"))
    assert [f"jti={token.jti}" in line for token, line in zip(tokens, listed, strict=True)] == [True] * 3
    assert all(line.endswith(token.request) for token, line in zip(tokens, listed, strict=True))
    for token in tokens:
        for option, name in (("--jti", token.jti), ("--request", token.request)):
            (row,) = console.told("audit", "list", option, name)
            assert (row["jti"], row["request_id"], row["client_id"]) == (token.jti, token.request, "shop")
            assert row["context"]["exp"] == 2
            (line,) = lines(console.run("audit", "list", option, name))
            assert token.jti in line
    (exported,) = lines(console.run("audit", "export", "--jti", tokens[1].jti))
    whole = json.loads(exported)["row"]
    assert [one["jti"] for one in json.loads(whole["context"])["tokens"]] == [token.jti for token in tokens]
    explained = console.run("explain", tokens[1].request)
    assert explained.exit_code == 0
    assert tokens[1].jti in explained.out
    assert tokens[0].jti not in explained.out


def test_no_name_writes_a_line_of_its_own(console: Console) -> None:
    async def append(core: Core) -> None:
        origin = RequestOrigin(RequestId("r"), "192.0.2.1", "evil\n2030 user.deleted")
        reason = "x\n2030-01-01T00:00:00.000Z  user.deleted \x1b[2J"
        await core.stores.audit.append(
            Event(EventKind.TOKEN_REVOKED, "shop", origin=origin, context={"reason": reason})
        )

    console.act(append)
    (line,) = lines(console.run("audit", "list"))
    assert "\x1b" not in line


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("list", "--since", "yesterday"), "since"),
        (("list", "--since", "-1h"), "since"),
        (("list", "--until", "2030-13-01"), "until"),
        (("list", "--most", "0"), "most"),
        (("list", "--most", "10001"), "most"),
        (("archive", "file.jsonl"), "before"),
        (("archive", "--before", "1d"), "FILE"),
        (("verify", "--checkpoints", "missing"), "missing"),
        (("verify", "missing"), "missing"),
    ],
    ids=str,
)
def test_what_cannot_be_meant_is_refused_with_the_reason(
    console: Console, arguments: tuple[str, ...], says: str
) -> None:
    done = console.run("audit", *arguments)
    assert done.exit_code == 2
    assert says in done.err
    assert "Traceback" not in done.err


def test_the_log_holds_until_somebody_edits_it(console: Console) -> None:
    console.user("alice")
    issue(console, 5)
    assert lines(console.run("audit", "verify"))[0].startswith("the log holds: ")
    altered(
        console, "UPDATE auth_audit SET context = replace(context, '\"iat\":1', '\"iat\":9') WHERE client_id = 'shop'"
    )
    done = console.run("audit", "verify")
    assert done.exit_code == 1
    ((writer,),) = console.rows("SELECT writer FROM auth_audit WHERE client_id = 'shop'")
    assert f"row {writer}:1: " in done.out
    verdict = json.loads(console.run("audit", "verify", "--json").out)
    assert [finding["where"] for finding in verdict["findings"]] == [f"row {writer}:1"]


@pytest.mark.parametrize(
    "forged",
    ["", "x", "[]", "1", "null", '{"tokens":7}', pytest.param("[" * 9_000, id="very deep")],
)
def test_a_row_that_makes_no_sense_is_shown_and_named(console: Console, forged: str) -> None:
    (token,) = issue(console, 1)
    console.user("alice")
    altered(console, f"UPDATE auth_audit SET context = '{forged}' WHERE client_id = 'shop'")
    assert len(lines(console.run("audit", "list"))) == 2
    (row,) = console.told("audit", "list", "--client", "shop")
    assert row["context"] == (json.loads(forged) if forged.startswith("{") else {"unreadable": forged})
    assert console.run("explain", token.request).exit_code == 0
    assert console.run("tokens", "revoke", "--jti", token.jti, "--reason", "seen").exit_code == 0
    done = console.run("audit", "verify")
    assert (done.exit_code, "Traceback" in done.err) == (1, False)


def test_what_is_archived_leaves_the_table_and_is_proven_with_it(console: Console, tmp_path: Path) -> None:
    console.user("alice")
    issue(console, 3)
    file = tmp_path / "old.jsonl"
    done = console.told("audit", "archive", "--before", "0s", str(file))
    assert done["rows"] == 2
    assert [row["event"] for row in console.told("audit", "list")] == ["audit.archived"]
    for sources, rows in (((), 1), ((str(file),), 3)):
        verdict = console.told("audit", "verify", *sources)
        assert (verdict["findings"], verdict["rows"]) == ([], rows)
    assert "is there already" in console.refused("audit", "archive", "--before", "0s", str(file), exit_code=2)
    kept = file.read_text()
    file.write_text(kept.replace('"shop"', '"shed"', 1))
    assert console.run("audit", "verify", str(file)).exit_code == 1
    file.write_text(kept)
    another = tmp_path / "young.jsonl"
    assert console.told("audit", "archive", "--before", "0s", str(another))["rows"] == 1
    verdict = console.told("audit", "verify", str(file), str(another))
    assert (verdict["findings"], verdict["rows"]) == ([], 4)
    nothing = console.run("audit", "archive", "--before", "1d", str(tmp_path / "none.jsonl"))
    assert (nothing.exit_code, nothing.out) == (0, "")
    assert "nothing is that old" in nothing.err


def test_a_copy_of_a_checkpoint_proves_what_was_cut_off_with_it(console: Console, tmp_path: Path) -> None:
    console.user("alice")
    file = tmp_path / "old.jsonl"
    console.told("audit", "archive", "--before", "0s", str(file))
    assert console.run("audit", "verify", "--checkpoints", str(file)).exit_code == 0
    connection = sqlite3.connect(console.database)
    with connection:
        connection.execute("DELETE FROM audit_checkpoints")
    connection.close()
    assert console.run("audit", "verify", "--checkpoints", str(file)).exit_code == 1
