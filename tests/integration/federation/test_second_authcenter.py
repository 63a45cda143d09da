"""Signing in to one authcenter by another one, process to process, over HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from yarl import URL

from tests.servers.authcenter import AuthcenterProcess
from tests.unit.http.browsing import Shown, Tab

pytestmark = pytest.mark.long

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Pair:
    """``home``, where people have accounts, and ``abroad``, which lets them in by those."""

    home: AuthcenterProcess
    abroad: AuthcenterProcess

    def person(self, name: str, *, here: bool = False) -> None:
        """Somebody with an account at ``home``, or ``here``: abroad."""
        at = self.abroad if here else self.home
        email = f"{name}@example.org"
        done = at.cli("users", "create", "--username", name, "--email", email, "--password-stdin", stdin=PASSWORD)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with started(*(AuthcenterProcess(tmp_path_factory.mktemp(name)) for name in ("home", "abroad"))) as both:
        yield both


@contextmanager
def started(home: AuthcenterProcess, abroad: AuthcenterProcess) -> Iterator[Pair]:
    """Both, for as long as the block lasts."""
    with home:
        registered = home.cli_json(
            *("clients", "create", "--id", "abroad", "--profile", "oidc", "--grant", "authorization_code"),
            *("--scope", "openid profile email", "--redirect-uri", f"{abroad.url}/federation/home/callback"),
        )
        abroad.environment["AUTHCENTER_IDENTITY_PROVIDER_SECRETS"] = f"home={registered['client_secret']}"
        abroad.policy_file.write_text(
            "fetch: {allow_private: [127.0.0.0/8]}\n"
            f"identity_providers: {{home: {{kind: openid, name: Home, issuer: '{home.url}', client_id: abroad,"
            " new_accounts: always}}\n"
        )
        with abroad:
            yield Pair(home, abroad)


@dataclass
class Person:
    """A browser, with the cookies of each."""

    name: str
    home: Tab
    abroad: Tab

    async def leave(self, path: str = "/login") -> str:
        """Begin abroad; where the browser is sent."""
        shown = await self.abroad.follow(await self.abroad.get(path))
        start = shown.body.index('href="/federation/home?') + len('href="')
        left = await self.abroad.get(shown.body[start : shown.body.index('"', start)])
        return left.location or left.body

    async def be_let_in(self, address: str) -> str:
        """Sign in and agree at home; the path abroad that the browser is sent back to."""
        shown = await self.home.follow(await self.home.get(address.removeprefix(self.home.address)))
        if 'name="password"' in shown.body:
            sent = {**shown.fields, "username": self.name, "password": PASSWORD}
            shown = await self.home.follow(await self.home.post("/login", sent))
        if 'value="allow"' in shown.body:
            shown = await self.home.follow(await self.home.post("/consent", {**shown.fields, "answer": "allow"}))
        assert shown.location.startswith(self.abroad.address), shown.body
        return shown.location.removeprefix(self.abroad.address)

    async def come(self, path: str = "/login") -> Shown:
        return await self.abroad.get(await self.be_let_in(await self.leave(path)))

    async def page(self) -> str:
        return (await self.abroad.get("/account")).body


def browser(pair: Pair, name: str) -> Person:
    return Person(name, Tab(pair.home.url), Tab(pair.abroad.url))


async def test_a_stranger_gets_an_account_by_the_one_at_home(pair: Pair) -> None:
    pair.person("ada")
    for _ in range(2):
        ada = browser(pair, "ada")
        assert (await ada.come()).location == "/account"
        assert "ada@example.org" in await ada.page()
    users = pair.abroad.cli_json("users", "list")
    assert [user["username"] for user in users] == ["ada"]


async def test_an_account_that_is_there_is_linked_by_its_verified_address(pair: Pair) -> None:
    pair.person("eve")
    pair.person("eve", here=True)
    eve = browser(pair, "eve")
    assert (await eve.come()).location == "/account"
    assert "eve@example.org" in await eve.page()
    identities = (await eve.abroad.get("/account/identities")).body
    assert '<h2 id="identity-1">Home</h2>' in identities
    names = [user["username"] for user in pair.abroad.cli_json("users", "list")]
    assert names.count("eve") == 1


async def test_who_says_no_at_home_is_back_at_the_login_page(pair: Pair) -> None:
    pair.person("bob")
    bob = browser(pair, "bob")
    address = await bob.leave()
    shown = await bob.home.follow(await bob.home.get(address.removeprefix(bob.home.address)))
    back = await bob.home.follow(await bob.home.post("/login", {**shown.fields, "act": "cancel"}))
    again = await bob.abroad.get(back.location.removeprefix(bob.abroad.address))
    assert again.location.startswith("/login?ticket=")
    assert (await bob.come(again.location)).location == "/account"


async def test_a_code_is_worth_nothing_to_anybody_else(pair: Pair) -> None:
    pair.person("dan")
    dan, thief = browser(pair, "dan"), browser(pair, "dan")
    stolen = URL(await dan.be_let_in(await dan.leave()))
    own = URL(await thief.be_let_in(await thief.leave()))
    shown = await thief.abroad.get(str(own.update_query(code=stolen.query["code"])))
    assert shown.status == 424
    assert "Home refused the sign-in" in shown.body
    assert (await thief.abroad.get("/account")).location.startswith("/login")


async def test_a_home_that_is_gone_or_hangs_is_a_clear_page_and_comes_back(tmp_path: Path) -> None:
    with started(AuthcenterProcess(tmp_path / "home"), AuthcenterProcess(tmp_path / "abroad")) as pair:
        pair.person("ada")
        ada = browser(pair, "ada")
        way = await ada.be_let_in(await ada.leave())
        pair.home.freeze()
        try:
            shown = await ada.abroad.get(way)
        finally:
            pair.home.thaw()
        for answer in (shown, await gone(pair, ada)):
            assert answer.status == 424
            assert "Home does not answer at the moment" in answer.body
            assert answer.headers["X-Request-Id"] in answer.body
        pair.home.start()
        assert (await ada.come()).location == "/account"


async def gone(pair: Pair, person: Person) -> Shown:
    """What comes of an answer while ``home`` is no more."""
    way = await person.be_let_in(await person.leave())
    pair.home.kill()
    return await person.abroad.get(way)
