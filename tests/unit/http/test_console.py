"""Who gets into the console, and what it says of how things are and why requests were refused."""

import re
from urllib.parse import quote

import pyotp
import pytest

from authcenter.core.rules import Rule
from tests.authenticator import enrol
from tests.unit.http.browsing import Tab
from tests.unit.http.operating import AtConsole, at_console, make_operator, sign_in
from tests.workbench import Workbench

PAGES = [
    "/console",
    "/console/clients",
    "/console/clients?id=app",
    "/console/users",
    "/console/users?q=al",
    "/console/keys",
    "/console/policy",
    "/console/revocations",
    "/console/revocations?by=client&of=app&before=",
    "/console/audit",
    "/console/explain",
]
MARKUP = "\"'><script>alert(1)</script>"


@pytest.fixture
async def console(bench: Workbench, address: str) -> AtConsole:
    return await at_console(bench, address)


@pytest.mark.parametrize("path", PAGES)
async def test_an_operator_with_two_factors_gets_in(console: AtConsole, path: str) -> None:
    shown = await console.get(path)
    assert shown.status == 200
    assert 'aria-current="page"' in shown.body


@pytest.mark.parametrize("path", PAGES)
async def test_who_is_not_signed_in_is_led_there_and_back(bench: Workbench, address: str, path: str) -> None:
    make_operator(bench)
    app = await enrol(bench)
    assert (await Tab(address).get(path)).location.startswith("/login?ticket=")
    assert (await sign_in(Tab(address), app, path)).location == path


@pytest.mark.parametrize("path", PAGES)
async def test_without_the_role_there_is_no_such_page(bench: Workbench, address: str, path: str) -> None:
    app, tab = await enrol(bench), Tab(address)
    await sign_in(tab, app)
    refused, nowhere = await tab.get(path), await tab.get("/console/nothing", Accept="text/html")
    assert refused.status == nowhere.status == 404
    assert masked(refused.body) == masked(nowhere.body)
    bench.request_log.flush()
    assert f'"rule":"{Rule.CONSOLE_NOT_OPERATOR}"' in bench.lines.getvalue()


@pytest.mark.parametrize("path", PAGES)
async def test_one_factor_leads_to_the_second(bench: Workbench, address: str, path: str) -> None:
    make_operator(bench)
    tab = Tab(address)
    assert (await sign_in(tab, path=path)).location == path
    assert (await tab.get(path)).location.startswith("/login/second-factor?ticket=")
    led = await tab.follow(await tab.get(path))
    assert led.status == 200
    assert "Add a second factor to go on." in led.body
    assert 'value="begin"' in led.body


async def test_who_adds_a_second_factor_on_the_way_gets_in(bench: Workbench, address: str) -> None:
    make_operator(bench)
    tab = Tab(address)
    await sign_in(tab)
    setup = await tab.follow(await tab.get("/console"))
    begun = await tab.follow(await tab.post("/account/second-factors", {**setup.fields, "act": "begin"}))
    enrolment = await bench.core.second_factors.begun(bench.alice)
    assert enrolment is not None
    code = pyotp.TOTP(enrolment.secret).at(int(bench.clock.seconds()))
    codes = await tab.post("/account/second-factors", {**begun.fields, "act": "confirm", "code": code})
    assert 'href="/console"' in codes.body
    assert (await tab.get("/console")).status == 200


async def test_the_overview_says_what_is_the_matter(console: AtConsole) -> None:
    console.bench.service.health.dependencies["redis"] = False
    console.bench.service.health.revocations_degraded = True
    shown = await console.get()
    assert "redis does not answer." in shown.body
    assert "do not get here as the policy demands" in shown.body
    assert console.bench.signer.kid in shown.body


async def test_the_overview_works_while_the_database_is_gone(console: AtConsole) -> None:
    assert (await console.get()).status == 200
    console.bench.board.down = True
    shown = await console.get()
    assert shown.status == 200
    assert "not known at the moment" in shown.body


async def test_a_refused_request_is_found_and_explained(console: AtConsole) -> None:
    bench = console.bench
    wrong = {"grant_type": "password", "client_id": "app", "client_secret": "x"}
    broken = await console.tab.post("/oauth/token", wrong)
    request_id = broken.headers["X-Request-Id"]
    await bench.service.traces.flush()
    found = await console.get("/console/explain?hours=1&refused=1&client=app")
    assert f'href="/console/explain?request={request_id}"' in found.body
    story = await console.get(f"/console/explain?request={request_id}")
    assert str(Rule.CLIENT_SECRET_WRONG) in story.body
    assert "Remedy" in story.body


async def test_what_strangers_sent_stays_text(console: AtConsole) -> None:
    wrong = {"grant_type": MARKUP, "client_id": MARKUP, "client_secret": "nobody knows this one"}
    broken = await console.tab.post("/oauth/token", wrong, User_Agent=MARKUP)
    await console.bench.service.traces.flush()
    listed = await console.get("/console/explain?hours=1")
    story = await console.get(f"/console/explain?request={broken.headers['X-Request-Id']}")
    for shown in (listed, story, await console.get(f"/console/explain?hours=1&client={quote(MARKUP)}")):
        assert shown.status == 200
        assert "<script" not in shown.body
    assert "&lt;script" in story.body


async def test_an_unknown_request_is_said_to_be(console: AtConsole) -> None:
    assert "not known, or not any more" in (await console.get("/console/explain?request=none")).body


def masked(body: str) -> str:
    return re.sub(r"<code>.*?</code>", "", body)
