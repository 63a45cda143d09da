"""``authcenter policy``: pushed, refused, rolled back; in Consul and in the file by one suite."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authcenter.settings.boot import load_boot_settings
from authcenter.settings.consul_kv import ConsulAddress, ConsulKv
from authcenter.settings.consul_policies import ConsulPolicyStore
from authcenter.settings.policy import Policy
from authcenter.settings.policy_store import KEPT_VERSIONS, KeptVersion
from tests.integration.cli.console import Console
from tests.integration.policy.kv import keys, read, settings, write
from tests.servers.authcenter import authcenter_cli
from tests.servers.consul import ConsulServer

pytestmark = pytest.mark.long


class Place:
    """A console whose policies go to one place; what lies there, and how somebody else writes it."""

    def __init__(self, console: Console, held: Callable[[], str], edit: Callable[[str], object]) -> None:
        self.console, self.held, self.edit = console, held, edit
        self._drafts = console.policy.parent / "drafts"
        self._drafts.mkdir()

    def draft(self, text: str, name: str = "draft.yaml") -> str:
        file = self._drafts / name
        file.write_text(text)
        return str(file)

    def push(self, text: str) -> dict[str, Any]:
        pushed: dict[str, Any] = self.console.told("policy", "push", self.draft(text), "--yes")
        return pushed

    def shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.console.told("policy", "show")
        return shown


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Console:
    made = Console(tmp_path_factory.mktemp("migrated"))
    assert made.run("db", "upgrade").exit_code == 0
    return made


@pytest.fixture
def in_file(tmp_path: Path, migrated: Console) -> Place:
    console = migrated.copied_to(tmp_path)
    return Place(console, console.policy.read_text, console.policy.write_text)


@pytest.fixture
def in_consul(tmp_path: Path, migrated: Console, shared_consul: ConsulServer, prefix: str) -> Place:
    console = migrated.copied_to(tmp_path)
    console.environment |= settings(shared_consul, prefix=prefix)
    key = f"{prefix}/policy"
    return Place(console, lambda: read(shared_consul, key) or "", lambda text: write(shared_consul, text, key))


@pytest.fixture(params=["file", "consul"])
def place(request: pytest.FixtureRequest) -> Place:
    found: Place = request.getfixturevalue(f"in_{request.param}")
    return found


def test_a_push_is_in_force_and_recorded(place: Place) -> None:
    before = place.push("{}")["version"]
    done = place.console.run("policy", "push", place.draft("# shorter\ntokens: {access_ttl: 60}"), "--yes")
    assert done.exit_code == 0, done.err
    assert "-tokens.access_ttl: 900\n+tokens.access_ttl: 60\n" in done.out
    assert "Impact: access tokens issued so far live on for up to 900 s\n" in done.out
    assert place.held() == "# shorter\ntokens: {access_ttl: 60}"
    shown = place.shown()
    assert shown["policy"]["tokens"]["access_ttl"] == 60
    assert shown["kept"][0] == shown["version"]
    assert place.console.events()[-1] == "policy.pushed"
    ((context,),) = place.console.rows("SELECT context FROM auth_audit ORDER BY rowid DESC LIMIT 1")
    assert f'"replaced":"{before}"' in context
    assert f'"version":"{shown["version"]}"' in context


def test_the_same_policy_in_other_words_is_not_written(place: Place) -> None:
    place.push("tokens: {access_ttl: 60}")
    before, events = place.held(), place.console.events()
    assert place.push("# other words\ntokens: {access_ttl: 60}")["pushed"] is False
    assert (place.held(), place.console.events()) == (before, events)


def test_every_wrong_field_is_named_and_nothing_is_written(place: Place) -> None:
    place.push("tokens: {access_ttl: 60}")
    before, events = place.held(), place.console.events()
    for verb in (["check"], ["push", "--yes"]):
        done = place.console.run("policy", *verb, place.draft("tokens: {access_ttl: 1}\nbrnd: {}", "wrong.yaml"))
        assert (done.exit_code, done.out) == (1, "")
        assert [line.partition("wrong.yaml: ")[2].partition(":")[0] for line in done.err.splitlines()] == [
            "tokens.access_ttl",
            "brnd",
        ]
    assert (place.held(), place.console.events()) == (before, events)


def test_a_check_writes_nothing(place: Place) -> None:
    place.push("{}")
    before, events = place.held(), place.console.events()
    done = place.console.run("policy", "check", place.draft("tokens: {access_ttl: 60}"))
    assert (done.exit_code, done.err) == (0, "")
    assert "+tokens.access_ttl: 60" in done.out
    assert (place.held(), place.console.events()) == (before, events)


def test_nothing_is_pushed_without_a_yes(place: Place) -> None:
    place.push("tokens: {leeway: 20}")
    for arguments in (["push", place.draft("tokens: {access_ttl: 60}")], ["rollback"]):
        assert "say --yes" in place.console.refused("policy", *arguments, exit_code=2)
    assert place.held() == "tokens: {leeway: 20}"


def test_rolling_back_goes_to_the_version_before_and_to_any_that_is_kept(place: Place) -> None:
    place.edit("tokens: {access_ttl: 50}")
    by_hand = place.shown()["version"]
    first, second = (place.push(f"tokens: {{access_ttl: {seconds}}}")["version"] for seconds in (60, 70))
    assert place.console.told("policy", "rollback", "--yes")["version"] == first
    assert place.shown()["policy"]["tokens"]["access_ttl"] == 60
    assert place.console.told("policy", "rollback", by_hand, "--yes")["version"] == by_hand
    assert place.held() == "tokens: {access_ttl: 50}"
    assert place.shown()["kept"][:3] == [by_hand, first, second]
    assert "no kept version 'nope'" in place.console.refused("policy", "rollback", "nope", "--yes", exit_code=1)


def test_there_is_nothing_to_roll_back_to_at_first(place: Place) -> None:
    place.edit("{}")
    assert place.console.refused("policy", "rollback", "--yes", exit_code=1) == "no other version is kept"


def test_the_last_versions_are_kept(place: Place) -> None:
    pushed = [place.push(f"tokens: {{access_ttl: {60 + number}}}")["version"] for number in range(KEPT_VERSIONS + 2)]
    assert place.shown()["kept"] == pushed[: 1 - KEPT_VERSIONS - 2 : -1]


def test_of_two_concurrent_pushes_one_wins_and_the_other_is_told(place: Place) -> None:
    place.push("{}")
    environment = {name: value for name, value in place.console.environment.items() if value is not None}
    drafts = [place.draft(f"tokens: {{access_ttl: {60 + number}}}", f"{number}.yaml") for number in range(3)]
    for _ in range(3):
        with ThreadPoolExecutor(3) as pool:
            done = list(pool.map(lambda draft: authcenter_cli(environment, "policy", "push", draft, "--yes"), drafts))
        losers = [each for each in done if each.returncode]
        assert len(losers) < 3
        assert all("changed by somebody else meanwhile" in each.stderr and each.returncode == 1 for each in losers)
        if losers:
            return
    pytest.skip("three pushes never met")


def test_clients_that_would_lose_something_are_named(place: Place) -> None:
    place.push("{}")
    named = ("--id", "batch", "--grant", "client_credentials", "--scope", "read", "--audience", "https://api.example")
    place.console.told("clients", "create", *named, "--access-ttl", "600")
    checked = place.console.run("policy", "check", place.draft("tokens: {access_ttl: 60}"))
    assert "Impact: these clients would lose their own lifetime of access tokens, cut to 60 s: batch" in checked.out


def test_what_is_held_and_does_not_validate_is_replaced(place: Place) -> None:
    place.edit("tokens: {")
    if place.console.environment.get("AUTHCENTER_CONSUL_URL"):
        assert "not known" in place.console.refused("policy", "show", exit_code=1)
    place.push("tokens: {access_ttl: 60}")
    assert place.shown()["policy"]["tokens"]["access_ttl"] == 60


def test_without_consul_nothing_is_pushed_and_one_line_says_so(
    tmp_path: Path, migrated: Console, consul: ConsulServer
) -> None:
    console = migrated.copied_to(tmp_path)
    console.environment |= settings(consul)
    place = Place(console, lambda: "", lambda text: write(consul, text))
    place.push("{}")
    consul.kill()
    for arguments in (["check", place.draft("{}")], ["push", place.draft("{}"), "--yes"], ["rollback", "--yes"]):
        said = console.refused("policy", *arguments, exit_code=1)
        assert said.startswith("Consul does not answer: ClientConnectorError")
    assert "not known" in console.refused("policy", "show", exit_code=1)
    assert console.events().count("policy.pushed") == 1
    listed = console.run("clients", "list", "--json")
    assert (listed.exit_code, listed.out) == (0, "[]\n"), "what has nothing to do with Consul goes on"
    assert "the policy in force is not known" in listed.err


def test_without_the_database_nothing_is_pushed(in_consul: Place) -> None:
    in_consul.push("{}")
    in_consul.console.environment["AUTHCENTER_DATABASE_URL"] = "postgresql+asyncpg://u:p@127.0.0.1:1/d"
    done = in_consul.console.run("policy", "push", in_consul.draft("tokens: {access_ttl: 60}"), "--yes")
    assert done.exit_code == 1
    assert done.err.count("\n") == 1
    assert in_consul.held() == "{}"


def test_a_link_stays_one_and_a_mode_too(in_file: Place) -> None:
    link, target = in_file.console.policy, in_file.console.policy.with_name("elsewhere.yaml")
    link.replace(target)
    link.symlink_to(target)
    target.chmod(0o640)
    in_file.push("tokens: {access_ttl: 60}")
    assert link.is_symlink()
    assert target.read_text() == "tokens: {access_ttl: 60}"
    assert target.stat().st_mode & 0o777 == 0o640


def test_versions_lie_under_the_prefix(in_consul: Place, shared_consul: ConsulServer, prefix: str) -> None:
    version = in_consul.push("{}")["version"]
    assert version == Policy().version
    assert keys(shared_consul, prefix) == [f"{prefix}/policy", f"{prefix}/policy-versions/{version}"]
    assert load_boot_settings(None, in_consul.console.environment).policy_key == f"{prefix}/policy"


def test_keys_are_published_ahead_as_the_policy_of_the_place_says(place: Place) -> None:
    place.push("keys: {publish_before_use: 3000}")
    place.console.told("keys", "rotate")
    made = place.console.told("keys", "rotate")
    ahead = datetime.fromisoformat(made["signs_from"]) - datetime.fromisoformat(made["created_at"])
    assert timedelta(seconds=2999) <= ahead <= timedelta(seconds=3001)


async def test_a_write_that_lost_against_itself_has_won(shared_consul: ConsulServer, prefix: str) -> None:
    kv = ConsulKv(ConsulAddress.of(shared_consul.url, "", {}))
    store, new = ConsulPolicyStore(kv, prefix), KeptVersion("1", "now", "tests", "tokens: {access_ttl: 60}")
    try:
        assert await store.replace(None, new)
        assert await store.replace(None, new)
        assert not await store.replace(None, KeptVersion("2", "now", "tests", "{}"))
        assert [kept.version for kept in await store.versions()] == ["1"]
    finally:
        await kv.close()
