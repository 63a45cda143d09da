"""Importing users: good lines come in, bad ones are named, and the same file can come again."""

import json
from typing import Any

import bcrypt
import pytest

from authcenter.accounts.importing import ImportReport, import_users

HASH = bcrypt.hashpw(b"hunter22", bcrypt.gensalt(4)).decode()


def line(username: str = "alice", **change: Any) -> str:
    good = {"username": username, "email": f"{username}@example.org", "password_hash": HASH}
    return json.dumps({name: value for name, value in {**good, **change}.items() if value is not None})


async def run(bench: Any, *lines: str, dry_run: bool = False) -> ImportReport:
    return await import_users(lines, bench.accounts, actor="cli:root", dry_run=dry_run)


def numbers(report: ImportReport) -> tuple[int, int, int]:
    return report.created, report.skipped, report.failed


async def test_an_imported_user_signs_in_with_the_old_password(bench: Any) -> None:
    assert numbers(await run(bench, line())) == (1, 0, 0)
    assert (await bench.accounts.authenticate("alice", "hunter22")).username == "alice"
    (event,) = bench.events
    assert event.context["imported"] is True


async def test_optional_fields_are_kept(bench: Any) -> None:
    await run(bench, line(sub="usr_from-elsewhere", roles=["a", "b"], email_verified=False, disabled=True))
    user = await bench.accounts.get("usr_from-elsewhere")
    assert user.roles == {"a", "b"}
    assert not user.email_verified
    assert user.disabled_at
    assert len(bench.record.tables.cuts) == 1


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        pytest.param(line(username="", email="a@example.org"), "username", id="empty name"),
        pytest.param(line(username=None), "username", id="no name"),
        pytest.param(line(username=7), "username", id="name no string"),
        pytest.param(line(email="nowhere"), "email", id="bad address"),
        pytest.param(line(password_hash="hunter22"), "password_hash", id="clear text"),
        pytest.param(line(password_hash=HASH.replace("$04$", "$31$")), "password_hash", id="hash too dear"),
        pytest.param(line(roles="admin"), "roles", id="roles no array"),
        pytest.param(line(roles=[1]), "roles", id="role no string"),
        pytest.param(line(roles=["two words"]), "roles", id="bad role"),
        pytest.param(line(email_verified="yes"), "email_verified", id="flag no boolean"),
        pytest.param(line(disabled=0), "disabled", id="flag a number"),
        pytest.param(line(sub="alice"), "sub", id="bad subject"),
        pytest.param(line(password="hunter22"), "'password'", id="unknown field"),
        pytest.param("{", "", id="no JSON"),
        pytest.param(line(roles=["x" * 65536]), "", id="too long"),
    ],
)
@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
async def test_a_bad_line_is_named_and_the_others_come_in(bench: Any, bad: str, field: str, dry_run: bool) -> None:
    report = await run(bench, line("one"), "", bad, line("two"), dry_run=dry_run)
    assert numbers(report) == (2, 0, 1)
    assert [(problem.line, problem.field) for problem in report.problems] == [(3, field)]
    assert len(await bench.accounts.list()) == (0 if dry_run else 2)


async def test_all_problems_of_a_line_are_told_and_no_hash_is_shown(bench: Any) -> None:
    secret = HASH[:-2]
    report = await run(bench, line(username=" x", email="nowhere", password_hash=secret, extra=1))
    assert {problem.field for problem in report.problems} == {"username", "email", "password_hash", "'extra'"}
    assert report.failed == 1
    assert secret not in str(report)


async def test_the_same_file_again_changes_nothing(bench: Any) -> None:
    lines = [line("one"), line("two", sub="usr_two")]
    await run(bench, *lines)
    before = await bench.accounts.list()
    for dry_run in (True, False):
        assert numbers(await run(bench, *lines, dry_run=dry_run)) == (0, 2, 0)
    assert await bench.accounts.list() == before
    assert len(bench.events) == 2


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize(
    ("conflicting", "fields"),
    [
        pytest.param(line("ALICE", email="other@example.org"), ["username"], id="name"),
        pytest.param(line("other", email="Alice@Example.org"), ["email"], id="address"),
        pytest.param(line("other", sub="usr_alice"), ["sub"], id="subject"),
        pytest.param(line("alice", sub="usr_another"), ["username", "email"], id="same user, another subject"),
    ],
)
async def test_another_user_in_the_way_is_a_conflict(
    bench: Any, conflicting: str, fields: list[str], dry_run: bool
) -> None:
    await run(bench, line(sub="usr_alice"))
    report = await run(bench, conflicting, dry_run=dry_run)
    assert numbers(report) == (0, 0, 1)
    assert [problem.field for problem in report.problems] == fields
    assert len(await bench.accounts.list()) == 1


@pytest.mark.parametrize("dry_run", [False, True], ids=["real", "dry"])
@pytest.mark.parametrize(
    ("second", "field"),
    [
        pytest.param(line("ALICE", email="other@example.org"), "username", id="name"),
        pytest.param(line("other", email="alice@example.org"), "email", id="address"),
        pytest.param(line("other", sub="usr_one"), "sub", id="subject"),
    ],
)
async def test_a_user_twice_in_the_file_names_the_first_line(
    bench: Any, second: str, field: str, dry_run: bool
) -> None:
    report = await run(bench, line(sub="usr_one"), second, dry_run=dry_run)
    assert numbers(report) == (1, 0, 1)
    assert [str(problem) for problem in report.problems] == [f"line 2: {field}: the same as in line 1"]


async def test_a_dry_run_writes_nothing(bench: Any) -> None:
    assert numbers(await run(bench, line("one"), line("two"), dry_run=True)) == (2, 0, 0)
    assert await bench.accounts.list() == []
    assert bench.events == []
