"""What tests of sign-ups share: the letters that were left, and the way through the pages."""

from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.mailbox import letters
from tests.workbench import Workbench

ON = "accounts: {signup: true}"
STRONG = "kettle bracket violin"


async def ask(tab: Tab, address: str, **headers: str) -> Shown:
    shown = await tab.get("/signup", **headers)
    return await tab.post("/signup", {**shown.fields, "email": address}, **headers)


async def follow_link(tab: Tab, bench: Workbench, address: str = "jo@example.com") -> Shown:
    """Ask for a link, and open the newest letter's."""
    await ask(tab, address)
    return await tab.follow(await tab.get((await letters(bench))[-1].values["link"]))


async def choose(tab: Tab, shown: Shown, username: str = "jo", password: str = STRONG, **more: str) -> Shown:
    form = {**shown.fields, "username": username, "password": password, "act": "create", **more}
    return await tab.post("/signup/verify", form)
