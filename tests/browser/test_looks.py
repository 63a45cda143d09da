"""Every page, looked at: by axe-core, by its width on a small phone, and on a screenshot that people can look at."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, ViewportSize

from authcenter.accounts.passwords import PasswordHashing
from authcenter.http.server import Listener
from tests.browser.conftest import Contexts
from tests.browser.site import Site
from tests.browser.views import VIEWS
from tests.workbench import CHEAP, Workbench

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.long]

_PHONE, _DESK = ViewportSize(width=320, height=568), ViewportSize(width=1024, height=768)
READERS: dict[str, dict[str, Any]] = {
    "desk": {"viewport": _DESK, "color_scheme": "light", "locale": "en-GB"},
    "phone-dark-german": {"viewport": _PHONE, "color_scheme": "dark", "locale": "de-AT"},
}
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("view", VIEWS)
async def test_a_page_is_accessible_and_fits(
    site: Site, contexts: Contexts, shots: Path, axe_source: str, view: str, reader: str
) -> None:
    # axe comes in as a script, which the pages' own policy would not let run.
    page = await contexts.open(**READERS[reader], bypass_csp=True)
    await VIEWS[view](page, site)
    await page.screenshot(path=shots / f"{view}-{reader}.png", full_page=True)
    await assert_good(page, axe_source, reader)


@pytest.mark.parametrize("reader", READERS)
async def test_the_page_of_an_outage_is_no_less(contexts: Contexts, shots: Path, axe_source: str, reader: str) -> None:
    hashing = PasswordHashing(CHEAP, workers=1)
    bench = await Workbench(hashing).start()
    bench.board.down = True
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    page = await contexts.open(**READERS[reader], bypass_csp=True)
    try:
        answer = await page.goto(f"http://127.0.0.1:{listener.port}/oauth/authorize?client_id=shop")
        assert answer is not None
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) > 0
        await page.screenshot(path=shots / f"error-unavailable-{reader}.png", full_page=True)
        await assert_good(page, axe_source, reader)
    finally:
        await page.context.close()
        await listener.runner.cleanup()
        hashing.close()


async def assert_good(page: Page, axe_source: str, reader: str) -> None:
    """axe finds nothing, the language is the reader's, and nothing is wider than the screen."""
    assert await _violations(page, axe_source) == []
    assert await page.locator("html").get_attribute("lang") == READERS[reader]["locale"].partition("-")[0]
    assert await page.locator("h1").count() == 1
    widths = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], "it scrolls sideways"


async def _violations(page: Page, axe_source: str) -> list[str]:
    await page.add_script_tag(content=axe_source)
    found = await page.evaluate("rules => axe.run({runOnly: {type: 'tag', values: rules}})", _RULES)
    assert found["passes"], "axe has looked"
    nodes = [(one["id"], node) for one in found["violations"] for node in one["nodes"]]
    return [f"{rule}: {node['target']} {node['failureSummary']}" for rule, node in nodes]
