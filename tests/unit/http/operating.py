"""An operator at the console: the role, an app for one-time codes, and a browser that is signed in by both."""

from dataclasses import dataclass, replace

from tests.authenticator import Authenticator, enrol
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD, Workbench


@dataclass(frozen=True, slots=True)
class AtConsole:
    """Alice, an operator, signed in by two factors just now."""

    bench: Workbench
    tab: Tab
    app: Authenticator

    async def get(self, path: str = "/console") -> Shown:
        return await self.tab.get(path)

    async def act(self, path: str, **form: str) -> Shown:
        """Send a form that the page at ``path`` shows."""
        shown = await self.tab.get(path)
        return await self.tab.post(path, {"csrf": shown.fields["csrf"], **form})


def make_operator(bench: Workbench, *roles: str, name: str = "alice") -> None:
    """Give alice, or who has that name, these roles, ``operator`` by default, as if they had always had them."""
    held = next(one for one in bench.record.tables.users.values() if one.user.username == name)
    user = replace(held.user, roles=frozenset(roles or ("operator",)))
    bench.record.tables.users[user.subject] = replace(held, user=user)


async def sign_in(tab: Tab, app: Authenticator | None = None, path: str = "/console", name: str = "alice") -> Shown:
    """Sign in on the way to ``path``; the answer is the redirect that leads on from there."""
    shown = await tab.follow(await tab.get(path))
    answer = await tab.post("/login", {**shown.fields, "username": name, "password": PASSWORD})
    if app is None:
        return answer
    asked = await tab.follow(answer)
    return await tab.post("/login/second-factor", {**asked.fields, "code": app.code(), "act": "code"})


async def at_console(bench: Workbench, address: str) -> AtConsole:
    make_operator(bench)
    app = await enrol(bench)
    tab = Tab(address)
    assert (await sign_in(tab, app)).location == "/console"
    bench.events.clear()
    return AtConsole(bench, tab, app)
