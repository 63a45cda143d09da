"""``authcenter clients``."""

import json

import pytest

from authcenter.core.client import Client
from authcenter.wiring.core import Core
from tests.integration.cli.console import Console

FULL = (
    *("--name", "Шоп 🦊", "--profile", "oidc", "--grant", "client_credentials", "--grant", "refresh_token"),
    *(
        "--scope",
        "read write",
        "--scope",
        "admin",
        "--audience",
        "https://b.example",
        "--audience",
        "https://a.example",
    ),
    *("--serves", "https://shop.example", "--redirect-uri", "https://shop.example/cb", "--origin", "https://o.example"),
    *("--auth-method", "client_secret_basic", "--first-party", "--access-ttl", "60", "--refresh-ttl", "600"),
    *("--refresh-max-lifetime", "6000", "--reuse-grace", "0", "--on-outage", "closed"),
)


def test_creating_a_client_tells_its_secret_and_all_it_may(console: Console) -> None:
    made = console.told("clients", "create", "--id", "shop", *FULL)
    assert list(made)[:2] == ["client_id", "client_secret"]
    secret = made.pop("client_secret")
    assert made == console.told("clients", "show", "shop")
    assert made["name"] == "Шоп 🦊"
    assert made["profile"] == "oidc"
    assert made["auth_methods"] == ["client_secret_basic"]
    assert made["grants"] == ["client_credentials", "refresh_token"]
    assert made["scopes"] == ["admin", "read", "write"]
    assert made["audiences"] == ["https://b.example", "https://a.example"]
    assert made["serves"] == ["https://shop.example"]
    assert made["redirect_uris"] == ["https://shop.example/cb"]
    assert made["origins"] == ["https://o.example"]
    assert made["first_party"] is True
    own = ("access_ttl", "refresh_ttl", "refresh_max_lifetime", "reuse_grace", "on_outage")
    assert [made[name] for name in own] == [60, 600, 6000, 0, "closed"]
    assert console.act(lambda core: _verifies(core, "shop", secret))


def test_what_a_client_names_is_registered_as_a_resource(console: Console) -> None:
    console.told("clients", "create", "--id", "shop", "--audience", "https://a.example", "--serves", "urn:shop")
    assert [one["id"] for one in console.told("resources", "list")] == ["https://a.example", "urn:shop"]


def test_for_people_the_secret_comes_with_a_note(console: Console) -> None:
    done = console.run("clients", "create", "--id", "shop")
    assert done.exit_code == 0
    assert done.out.splitlines()[0].split() == ["client_id", "shop"]
    assert "this once" in done.err


def test_a_client_without_methods_may_use_both_that_take_a_secret(console: Console) -> None:
    made = console.told("clients", "create", "--id", "shop")
    assert made["auth_methods"] == ["client_secret_basic", "client_secret_post"]
    assert len(made["secrets"]) == 1


@pytest.mark.parametrize("options", [["--public"], ["--auth-method", "none"], ["--public", "--auth-method", "none"]])
def test_a_public_client_has_no_secret(console: Console, options: list[str]) -> None:
    made = console.told("clients", "create", "--id", "app", *options)
    assert (made["client_secret"], made["public"], made["secrets"]) == (None, True, [])


def test_a_fapi2_client_is_made_with_a_warning(console: Console) -> None:
    done = console.run("clients", "create", "--id", "bank", "--profile", "fapi2", "--json")
    assert done.exit_code == 0
    assert "private_key_jwt" in done.err
    assert json.loads(done.out)["client_secret"] is None


WRONG = [
    pytest.param(["--id", ""], "id: ", id="empty id"),
    pytest.param(["--id", "a b"], "id: ", id="blank in the id"),
    pytest.param(["--id", "ä"], "id: ", id="id beyond ASCII"),
    pytest.param(["--id", "usr_x"], "id: usr_", id="id of a user"),
    pytest.param(["--id", "x" * 256], "id: ", id="long id"),
    pytest.param(["--id", "\udcff"], "id: ", id="id that is not text"),
    pytest.param(["--id", "x", "--name", "a\nb"], "name: ", id="line end in the name"),
    pytest.param(["--id", "x", "--name", "n" * 100_000], "name: ", id="huge name"),
    pytest.param(["--id", "x", "--grant", "magic"], "grant: 'magic' is none of authorization_code", id="grant"),
    pytest.param(["--id", "x", "--scope", 'a"b'], "scope: ", id="scope"),
    pytest.param(["--id", "x", "--audience", "https://a.example/#f"], "audience: ", id="audience with a fragment"),
    pytest.param(["--id", "x", "--audience", "a", "--audience", ""], "audience: ", id="one empty audience of two"),
    pytest.param(["--id", "x", "--serves", "a b"], "serves: ", id="serves"),
    pytest.param(["--id", "x", "--redirect-uri", "/relative"], "redirect-uri: ", id="relative redirect URI"),
    pytest.param(["--id", "x", "--redirect-uri", "http://a.example"], "redirect-uri: ", id="http redirect URI"),
    pytest.param(["--id", "x", "--origin", "https://a.example/"], "origin: ", id="origin with a path"),
    pytest.param(["--id", "x", "--access-ttl", "4"], "access: ", id="short lifetime"),
    pytest.param(["--id", "x", "--access-ttl", "soon"], "Invalid value for '--access-ttl'", id="lifetime no number"),
    pytest.param(["--id", "x", "--access-ttl", "9" * 30], "Invalid value for '--access-ttl'", id="endless lifetime"),
    pytest.param(["--id", "x", "--reuse-grace", "-1"], "Invalid value for '--reuse-grace'", id="negative grace"),
    pytest.param(["--id", "x", "--profile", "oauth1"], "Invalid value for '--profile'", id="profile"),
    pytest.param(["--id", "x", "--on-outage", "panic"], "Invalid value for '--on-outage'", id="on outage"),
    pytest.param(["--id", "x", "--auth-method", "tls"], "Invalid value for '--auth-method'", id="method"),
    pytest.param(
        ["--id", "x", "--public", "--auth-method", "client_secret_post"], "--public and --auth-method", id="public"
    ),
    pytest.param(["--id", "x", "--public", "--grant", "client_credentials"], "grant: ", id="grant of a public client"),
    pytest.param(
        ["--id", "x", "--profile", "fapi2", "--auth-method", "client_secret_post"], "auth-method: ", id="fapi2 secret"
    ),
    pytest.param(["--name", "x"], "Missing option '--id'", id="no id"),
    pytest.param(["--id", "x", "--colour", "red"], "No such option", id="unknown option"),
]


@pytest.mark.parametrize(("arguments", "says"), WRONG)
def test_bad_input_is_refused_and_nothing_is_written(console: Console, arguments: list[str], says: str) -> None:
    assert console.refused("clients", "create", *arguments, exit_code=2).startswith(says)
    assert console.rows("SELECT * FROM clients") == []
    assert console.events() == []


def test_an_id_is_taken_once(console: Console) -> None:
    first = console.told("clients", "create", "--id", "shop")
    assert console.refused("clients", "create", "--id", "shop", exit_code=1) == "id: shop is taken"
    assert console.act(lambda core: _verifies(core, "shop", first["client_secret"]))


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "x"],
        ["update", "x", "--name", "y"],
        ["update", "x", "--disable"],
        ["delete", "x", "--yes"],
        ["rotate-secret", "x"],
    ],
    ids=" ".join,
)
def test_an_unknown_client_is_named(console: Console, arguments: list[str]) -> None:
    assert console.refused("clients", *arguments, exit_code=1) == "no client 'x'"


@pytest.mark.parametrize("client_id", ["\udcff", "a\nb"])
def test_what_cannot_be_an_id_is_not_looked_for(console: Console, client_id: str) -> None:
    assert "is no id" in console.refused("clients", "show", client_id, exit_code=2)


def test_listing_is_sorted_and_empty_at_first(console: Console) -> None:
    assert console.told("clients", "list") == []
    for client_id in ("b", "a"):
        console.told("clients", "create", "--id", client_id)
    assert [one["client_id"] for one in console.told("clients", "list")] == ["a", "b"]
    assert console.run("clients", "list").out.count("client_id") == 2


def test_an_update_changes_what_is_given_and_keeps_the_rest(console: Console) -> None:
    before = console.told("clients", "create", "--id", "shop", *FULL)
    before.pop("client_secret")
    after = console.told("clients", "update", "shop", "--scope", "pay", "--access-ttl", "policy", "--third-party")
    changed = {name for name in before if before[name] != after[name]}
    assert changed - {"updated_at"} == {"scopes", "access_ttl", "first_party"}
    assert (after["scopes"], after["access_ttl"]) == (["pay"], None)


def test_an_empty_value_empties_a_list(console: Console) -> None:
    console.told("clients", "create", "--id", "shop", *FULL)
    lists = ("--scope", "--grant", "--audience", "--serves", "--redirect-uri", "--origin")
    after = console.told("clients", "update", "shop", *(word for name in lists for word in (name, "")))
    names = ("scopes", "grants", "audiences", "serves", "redirect_uris", "origins")
    assert all(after[name] == [] for name in names)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param([], "nothing to change", id="nothing"),
        pytest.param(["--grant", "magic"], "grant: ", id="bad grant"),
        pytest.param(["--auth-method", ""], "auth-method: missing", id="no method"),
        pytest.param(["--confidential", "--auth-method", "none"], "--confidential", id="contradiction"),
    ],
)
def test_a_bad_update_changes_nothing(console: Console, arguments: list[str], says: str) -> None:
    before = console.told("clients", "create", "--id", "shop")
    before.pop("client_secret")
    assert console.refused("clients", "update", "shop", *arguments, exit_code=2).startswith(says)
    assert console.told("clients", "show", "shop") == before


def test_a_client_goes_public_and_back(console: Console) -> None:
    console.told("clients", "create", "--id", "shop")
    assert console.told("clients", "update", "shop", "--public")["secrets"] == []
    back = console.run("clients", "update", "shop", "--confidential")
    assert "rotate-secret shop" in back.err
    assert console.told("clients", "rotate-secret", "shop")["client_secret"]


def test_disabling_and_enabling_are_shown_and_repeat_harmlessly(console: Console) -> None:
    console.told("clients", "create", "--id", "shop")
    for option, disabled in (("--disable", True), ("--disable", True), ("--enable", False), ("--enable", False)):
        assert console.told("clients", "update", "shop", option)["disabled"] is disabled
    cuts = console.rows("SELECT kind, value, up_to IS NULL FROM revocation_cuts")
    assert cuts == [("client_id", "shop", 0)]


def test_two_secrets_live_at_a_time(console: Console) -> None:
    secrets = [console.told("clients", "create", "--id", "shop")["client_secret"]]
    secrets += [console.told("clients", "rotate-secret", "shop")["client_secret"] for _ in range(2)]
    good = [console.act(lambda core, secret=secret: _verifies(core, "shop", secret)) for secret in secrets]
    assert good == [False, True, True]
    assert len(console.told("clients", "show", "shop")["secrets"]) == 2


def test_old_secrets_can_be_ended_at_once(console: Console) -> None:
    first = console.told("clients", "create", "--id", "shop")["client_secret"]
    made = console.told("clients", "rotate-secret", "shop", "--end-old")
    assert len(made["secrets"]) == 1
    assert not console.act(lambda core: _verifies(core, "shop", first))
    assert console.act(lambda core: _verifies(core, "shop", made["client_secret"]))


def test_a_public_client_gets_no_secret(console: Console) -> None:
    console.told("clients", "create", "--id", "app", "--public")
    assert "does not authenticate with a secret" in console.refused("clients", "rotate-secret", "app", exit_code=2)


def test_a_deleted_client_is_gone_and_its_tokens_cut(console: Console) -> None:
    console.told("clients", "create", "--id", "shop")
    assert console.run("clients", "delete", "shop", "--yes").out == "deleted shop\n"
    assert console.told("clients", "list") == []
    assert console.rows("SELECT kind, value FROM revocation_cuts") == [("client_id", "shop")]
    assert console.events()[-1] == "client.deleted"


def test_nobody_is_asked_where_there_is_no_terminal(console: Console) -> None:
    console.told("clients", "create", "--id", "shop")
    assert "say --yes" in console.refused("clients", "delete", "shop", stdin="y\n", exit_code=2)
    assert len(console.told("clients", "list")) == 1


def test_a_secret_is_nowhere_but_in_the_answer(console: Console) -> None:
    secret = console.told("clients", "create", "--id", "shop")["client_secret"]
    (stored,) = console.act(lambda core: _client(core, "shop")).secrets
    listed = [console.run("clients", *words).out for words in (["list"], ["show", "shop"], ["list", "--json"])]
    assert not [text for text in listed if secret in text or stored.stored in text]
    assert secret not in console.dump()
    assert stored.stored not in str(console.rows("SELECT * FROM auth_audit"))


async def _client(core: Core, client_id: str) -> Client:
    return await core.clients.get(client_id)


async def _verifies(core: Core, client_id: str, secret: str) -> bool:
    return await core.secrets.verify(await core.clients.get(client_id), secret)
