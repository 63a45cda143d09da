"""A workbench whose policy offers three providers, each a stand-in on this machine, and a browser that can go there."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.accounts.passwords import PasswordHashing
from authcenter.core.user import User
from authcenter.http.server import Listener
from tests.servers.identity_providers import (
    CLIENT_ID,
    CLIENT_SECRET,
    GitHubStandIn,
    OpenIdStandIn,
    StandIn,
    opened,
)
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import ISSUER, PASSWORD, Workbench

SESSION = "__Host-authcenter_session"


@dataclass
class Abroad:
    """The service, the providers it offers, and a browser.

    Attributes:
        company: Any OpenID issuer; ``google`` and ``github`` speak as those do.
    """

    bench: Workbench
    tab: Tab
    company: OpenIdStandIn
    google: OpenIdStandIn
    github: GitHubStandIn

    def named(self, name: str) -> StandIn:
        return {"company": self.company, "google": self.google, "github": self.github}[name]

    def offer(self, **changes: str) -> None:
        """Put the policy in force.

        Args:
            changes: Further members of a provider's section; ``accounts`` and ``rate_limits``: those sections.
        """
        names = ("company", "google", "github")
        providers = ", ".join(f"{name}: {{{self.section(name)}{changes.get(name, '')}}}" for name in names)
        accounts = changes.get("accounts", "{signup: true}")
        limits = changes.get("rate_limits", "{signup_per_ip: 100/hour}")
        fetch = "fetch: {allow_private: [127.0.0.0/8]}"
        text = [fetch, f"accounts: {accounts}", f"rate_limits: {limits}", f"identity_providers: {{{providers}}}"]
        self.bench.offer("\n".join(text))

    def section(self, name: str) -> str:
        kind = {"company": "openid"}.get(name, name)
        return f"kind: {kind}, client_id: {CLIENT_ID}, issuer: '{self.named(name).url}'"

    async def leave(self, name: str, path: str = "/login", tab: Tab | None = None) -> str:
        """Begin at a page of ours; the address at the provider that the browser is sent to."""
        tab = tab or self.tab
        shown = await tab.follow(await tab.get(path))
        started = await tab.get(button(shown, name))
        assert started.status == 303, started.body
        return started.location

    async def answer(self, address: str) -> str:
        """Be let in there; the path of ours that the browser is sent back to."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(URL(address, encoded=True), allow_redirects=False) as answer,
        ):
            assert answer.status == 302
            back = answer.headers["Location"]
        assert back.startswith(f"{ISSUER}/federation/")
        return back.removeprefix(ISSUER)

    async def come_back(self, name: str, path: str = "/login", tab: Tab | None = None) -> Shown:
        """There and back again."""
        back = await self.answer(await self.leave(name, path, tab))
        return await (tab or self.tab).get(back)

    async def sign_in_here(self, tab: Tab | None = None, username: str = "alice") -> None:
        tab = tab or self.tab
        shown = await tab.follow(await tab.get("/login"))
        await tab.post("/login", {**shown.fields, "username": username, "password": PASSWORD})

    async def who(self, tab: Tab | None = None) -> str:
        """Who the account page says is signed in; empty: nobody."""
        shown = await (tab or self.tab).get("/account")
        return shown.body.partition("Signed in as ")[2].partition(" (")[0]

    def user(self, username: str) -> User:
        return next(held.user for held in self.bench.record.tables.users.values() if held.user.username == username)

    def rule(self) -> str:
        """The verdict of the newest request."""
        self.bench.request_log.flush()
        line = self.bench.lines.getvalue().splitlines()[-1]
        return line.partition('"rule":"')[2].partition('"')[0]


def button(shown: Shown, name: str) -> str:
    """The path that the button of a provider leads to."""
    start = shown.body.index(f'href="/federation/{name}?') + len('href="')
    return shown.body[start : shown.body.index('"', start)].replace("&amp;", "&")


def query_of(address: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(address).query))


@pytest.fixture
async def abroad(cheap_hashing: PasswordHashing) -> AsyncIterator[Abroad]:
    secrets = '{"company": "%s", "google": "%s", "github": "%s"}' % ((CLIENT_SECRET,) * 3)
    bench = await Workbench(cheap_hashing, IDENTITY_PROVIDER_SECRETS=secrets).start()
    async with AsyncExitStack() as stack:
        company, google = OpenIdStandIn(bench.clock.seconds), OpenIdStandIn(bench.clock.seconds, google=True)
        github = GitHubStandIn(bench.clock.seconds)
        for each in (company, google, github):
            await stack.enter_async_context(opened(each))
        listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
        stack.push_async_callback(listener.runner.cleanup)
        made = Abroad(bench, Tab(f"http://127.0.0.1:{listener.port}"), company, google, github)
        made.google.person = {**made.google.person, "hd": "example.org"}
        made.offer()
        yield made
