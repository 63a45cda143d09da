"""``authcenter resources``."""

import pytest

from tests.integration.cli.console import Console

URI = "https://api.example"


def test_a_resource_is_created_shown_and_listed(console: Console) -> None:
    options = (
        "--name",
        "Шоп 🦊",
        "--scope",
        "read=Lire l'état = tout",
        "--scope",
        "list",
        "--role-for",
        "admin=operator",
    )
    made = console.told("resources", "create", "--id", URI, *options)
    assert made["name"] == "Шоп 🦊"
    assert made["scopes"] == {
        "admin": {"text": "", "role": "operator"},
        "list": {"text": "", "role": None},
        "read": {"text": "Lire l'état = tout", "role": None},
    }
    assert console.told("resources", "show", URI) == made
    assert console.told("resources", "list") == [made]
    assert console.events() == ["resource.created"]


def test_people_read_the_scopes_in_one_line(console: Console) -> None:
    done = console.run("resources", "create", "--id", URI, "--scope", "read=Read it", "--role-for", "read=clerk")
    assert 'read "Read it" (role clerk)' in done.out


WRONG = [
    pytest.param(["--id", "a b"], "id: ", id="blank in the id"),
    pytest.param(["--id", ""], "id: ", id="empty id"),
    pytest.param(["--id", "https://a.example#x"], "id: ", id="fragment"),
    pytest.param(["--id", "x" * 513], "id: ", id="long id"),
    pytest.param(["--id", "\udcff"], "id: ", id="id that is not text"),
    pytest.param(["--id", URI, "--name", "a\x1b[1m"], "name: ", id="escape in the name"),
    pytest.param(["--id", URI, "--scope", "=text"], "scope: ", id="text without scope"),
    pytest.param(["--id", URI, "--scope", "a b"], "scope: ", id="blank in a scope"),
    pytest.param(["--id", URI, "--scope", "a=b\nc"], "scope: ", id="line end in a text"),
    pytest.param(["--id", URI, "--scope", "a=" + "x" * 100_000], "scope: ", id="huge text"),
    pytest.param(["--id", URI, "--role-for", "a"], "Invalid value for --role-for: 'a' is not SCOPE=ROLE", id="no role"),
    pytest.param(["--id", URI, "--role-for", "a="], "Invalid value for --role-for: '' cannot be", id="empty role"),
    pytest.param(["--id", URI, "--role-for", "a=b c"], "Invalid value for --role-for", id="blank in a role"),
    pytest.param(["--id", URI, "--role-for", "a=" + "x" * 65], "Invalid value for --role-for", id="long role"),
    pytest.param(["--id", URI, "--role-for", "a=b", "--role-for", "a=c"], "Invalid value for --role-for", id="two"),
    pytest.param([], "Missing option '--id'", id="no id"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_bad_input_is_refused_and_nothing_is_written(console: Console, arguments: list[str], says: str) -> None:
    assert console.refused("resources", "create", *arguments, exit_code=2).startswith(says)
    assert console.rows("SELECT * FROM resources") == []


def test_an_id_is_registered_once(console: Console) -> None:
    console.told("resources", "create", "--id", URI)
    assert "registered already" in console.refused("resources", "create", "--id", URI, exit_code=1)


UPDATES = [
    pytest.param(["--name", "New"], {"a": ("A", "r"), "b": ("B", None)}, id="the name alone"),
    pytest.param(["--scope", "a", "--scope", "c=C"], {"a": ("", "r"), "c": ("C", None)}, id="scopes keep roles"),
    pytest.param(["--role-for", "b=s"], {"a": ("A", None), "b": ("B", "s")}, id="roles keep scopes"),
    pytest.param(["--scope", "a=A", "--role-for", "b=s"], {"a": ("A", None), "b": ("", "s")}, id="both"),
    pytest.param(["--scope", ""], {}, id="no scopes"),
    pytest.param(["--role-for", ""], {"a": ("A", None), "b": ("B", None)}, id="no roles"),
]


@pytest.mark.parametrize(("arguments", "scopes"), UPDATES)
def test_given_lists_replace(console: Console, arguments: list[str], scopes: dict[str, tuple[str, str | None]]) -> None:
    console.told("resources", "create", "--id", URI, "--scope", "a=A", "--scope", "b=B", "--role-for", "a=r")
    after = console.told("resources", "update", URI, *arguments)
    assert {value: (one["text"], one["role"]) for value, one in after["scopes"].items()} == scopes


@pytest.mark.parametrize(
    ("arguments", "says"),
    [pytest.param([], "nothing to change", id="nothing"), pytest.param(["--scope", "a b"], "scope: ", id="bad scope")],
)
def test_a_bad_update_changes_nothing(console: Console, arguments: list[str], says: str) -> None:
    before = console.told("resources", "create", "--id", URI, "--scope", "a=A")
    assert console.refused("resources", "update", URI, *arguments, exit_code=2).startswith(says)
    assert console.told("resources", "show", URI) == before


@pytest.mark.parametrize(
    "arguments", [["show"], ["update", "--name", "x"], ["delete", "--yes"]], ids=lambda one: one[0]
)
def test_an_unknown_resource_is_named(console: Console, arguments: list[str]) -> None:
    assert console.refused("resources", *arguments, "urn:x", exit_code=1) == "no resource 'urn:x'"


def test_a_resource_is_deleted_only_on_a_yes(console: Console) -> None:
    console.told("resources", "create", "--id", URI)
    assert "say --yes" in console.refused("resources", "delete", URI, exit_code=2)
    assert console.run("resources", "delete", URI, "--yes").exit_code == 0
    assert console.told("resources", "list") == []
