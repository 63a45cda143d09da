"""The pages of devices, of logout and of refusals: what they keep as every page does, and under the same attacks."""

import re
from urllib.parse import quote

import pytest

from tests.unit.http.browsing import Tab
from tests.unit.http.device_and_logout_pages import BROWSER, PAGES, SESSION
from tests.unit.http.page_rules import require_rules
from tests.unit.http.page_ways import MARKUP
from tests.unit.http.test_page_attacks import FORGERIES, LINES
from tests.workbench import Workbench


@pytest.mark.parametrize("name", PAGES)
async def test_every_page_keeps_the_rules(bench: Workbench, tab: Tab, name: str) -> None:
    page = PAGES[name]
    shown = await page.way(tab, bench)
    assert shown.status == page.status
    require_rules(shown, page.form_to, image=bool(page.image), frame=page.frame)
    # Whoever sees it knows where they are, in words.
    assert len(re.findall(r"<h1>[^<]+</h1>", shown.body)) == 1
    assert re.search(r'<html lang="en"', shown.body)


# The way to each form: its page, where it is posted to, and what a person fills in.
FORMS: dict[str, tuple[str, str, dict[str, str]]] = {
    "device": ("device", "/device", {"user_code": "BCDF-GHJK"}),
    "device confirm": ("device confirm", "/device", {"answer": "allow"}),
    "logout": ("logout", "/oauth/logout", {"answer": "logout"}),
    "sign out": ("account with a consent", "/oauth/logout", {}),
}
# Without a token it is a client's request: see below.
_CLIENTS_OWN = {("logout", "no token"), ("sign out", "no token")}
FORGED = [(form, forgery) for form in FORMS for forgery in FORGERIES if (form, forgery) not in _CLIENTS_OWN]


@pytest.mark.parametrize(("form", "forgery"), FORGED)
async def test_a_forged_form_does_nothing(bench: Workbench, address: str, form: str, forgery: str) -> None:
    tab, other = Tab(address), Tab(address)
    page, path, filled = FORMS[form]
    values = (await PAGES[page].way(tab, bench)).fields | filled
    theirs = (await other.get("/login")).fields["csrf"]
    changes, headers, rule = FORGERIES[forgery]
    for name, value in changes.items():
        values.pop(name)
        if value is not None:
            values[name] = theirs if value == "theirs" else value
    if "Cookie" in headers:
        tab.jar.pop(BROWSER)
        headers = {}
    bench.events.clear()
    session = tab.jar.get(SESSION)
    refused = await tab.post(path, values, **headers)
    assert refused.status == 403
    assert not refused.location
    assert tab.jar.get(SESSION) == session
    assert bench.events == []
    bench.request_log.flush()
    assert f'"rule":"{rule}"' in bench.lines.getvalue().splitlines()[-1]


@pytest.mark.parametrize("form", ["logout", "sign out"])
async def test_a_logout_without_our_token_asks_first(bench: Workbench, tab: Tab, form: str) -> None:
    page, path, filled = FORMS[form]
    values = (await PAGES[page].way(tab, bench)).fields | filled
    values.pop("csrf")
    shown = await tab.follow(await tab.post(path, values, Origin="https://evil.example", Sec_Fetch_Site="cross-site"))
    assert "ticket" in shown.fields, "the question"
    assert (await tab.get("/account")).status == 200


@pytest.mark.parametrize("form", ["device confirm", "logout"])
async def test_while_the_record_is_gone_the_page_says_so_and_when_to_come_again(
    bench: Workbench, tab: Tab, form: str
) -> None:
    page, path, filled = FORMS[form]
    values = (await PAGES[page].way(tab, bench)).fields | filled
    bench.board.down = True
    shown = await tab.post(path, values, Accept_Language="de")
    assert shown.status == 503
    assert int(shown.headers["Retry-After"]) > 0
    assert "Im Augenblick nicht verfügbar" in shown.body
    assert shown.headers["X-Request-Id"] in shown.body
    assert "Set-Cookie" not in shown.headers


URLS = ["/device?{}", "/oauth/logout?{}", "/oauth/logout?id_token_hint={}", "/oauth/logout?client_id={}&state={}"]


@pytest.mark.parametrize("path", URLS)
async def test_nothing_of_a_url_comes_back_as_markup(tab: Tab, path: str) -> None:
    shown = await tab.follow(await tab.get(path.replace("{}", quote(f"{MARKUP}{LINES}")), Accept="text/html"))
    assert "alert(1)" not in shown.body
    assert "evil" not in shown.body
    assert "evil" not in shown.headers.get("Set-Cookie", "")
