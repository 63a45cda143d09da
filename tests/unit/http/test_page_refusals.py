"""What a page says where what it is about has changed under it: nothing that anybody would be woken for."""

import pytest

from authcenter.core.errors import Conflict, InvalidInput, NotFound
from authcenter.core.rules import Rule
from authcenter.http.pages.visit import Visit
from authcenter.http.responses import Answer
from tests.unit.http.browsing import Tab
from tests.unit.http.test_account_pages import address, opened, tab
from tests.workbench import Workbench

__all__ = ["address", "tab"]
REFUSALS = [
    pytest.param(Conflict("usr_1: written by others"), 409, Rule.NAME_TAKEN, id="others wrote"),
    pytest.param(NotFound("no user 'usr_1'"), 404, Rule.NAME_UNKNOWN, id="gone"),
    pytest.param(InvalidInput("claim: usr_1 does not hold"), 422, Rule.INPUT_REFUSED, id="does not hold"),
]


@pytest.mark.parametrize(("refusal", "status", "rule"), REFUSALS)
async def test_what_the_record_refuses_is_no_defect(
    bench: Workbench, tab: Tab, refusal: Exception, status: int, rule: Rule
) -> None:
    async def refuse(_: Visit) -> Answer:
        raise refusal

    frame = bench.service.public.__self__  # type: ignore[attr-defined]
    frame.router.add_get("/test", frame.router.otherwise.__self__.pages.page(refuse))
    shown = await tab.get("/test")
    bench.request_log.flush()
    assert shown.status == status
    assert 'role="alert"' in shown.body
    assert "usr_1" not in shown.body
    assert f'"rule":"{rule}"' in bench.lines.getvalue().splitlines()[-1]
    assert bench.log.calls == []


@pytest.mark.parametrize("path", ["/account/profile", "/account/download"])
async def test_a_page_of_an_account_that_was_deleted_elsewhere_a_moment_ago(
    bench: Workbench, tab: Tab, path: str
) -> None:
    form = (await opened(tab, path)).fields
    assert await bench.another_core().erasure.erase(bench.alice.subject, language="en")
    answer = await tab.post(path, {**form, "name": "Alice"})
    assert answer.status == 404
    assert "alice" not in answer.body
    assert bench.log.calls == []
