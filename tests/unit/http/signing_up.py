"""What tests of sign-ups share: the letters that were left, and the way through the pages."""

from datetime import timedelta

from authcenter.core.job import JobName
from authcenter.core.mail import Letter
from authcenter.wiring.sign_up import sign_up_links
from authcenter.workers.sign_up_links import SignUpErrand
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import Workbench

ON = "accounts: {signup: true}"
STRONG = "kettle bracket violin"


async def letters(bench: Workbench) -> list[Letter]:
    """The letters that were left, the oldest first, once the background has done what was asked for."""
    asked = await bench.stores.outbox.claim("tests", [JobName.SIGN_UP_ASKED], timedelta(hours=1), 100)
    # In the order in which they were left: their ids tell it to the millisecond only.
    order = [*bench.record.tables.outbox]
    for claimed in sorted(asked, key=lambda claimed: order.index(claimed.job.job_id)):
        await SignUpErrand(sign_up_links(bench.core)).act(claimed.job.payload)
        assert await bench.stores.outbox.done(claimed)
    rows = bench.record.tables.outbox.values()
    opened = [bench.core.letters.open(row.job.payload) for row in rows if row.job.name == JobName.MAIL]
    return [letter for letter in opened if letter is not None]


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
