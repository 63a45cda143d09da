"""The policy in the console: compared with what is held, and pushed over that and nothing else."""

import html
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from authcenter.core.event import EventKind
from authcenter.http.server import Listener
from authcenter.settings.file_policies import FilePolicyStore
from authcenter.settings.policy import parse_policy
from tests.unit.http.operating import AtConsole, at_console
from tests.workbench import Workbench

HELD = "tokens: {access_ttl: 300}\n"
WANTED = "tokens: {access_ttl: 120}\n"


@pytest.fixture
def document(tmp_path: Path) -> Path:
    """Where policies are pushed to."""
    file = tmp_path / "policy.yaml"
    file.write_text(HELD)
    return file


@pytest.fixture
async def console(bench: Workbench, document: Path) -> AsyncIterator[AtConsole]:
    @asynccontextmanager
    async def opened() -> AsyncIterator[FilePolicyStore]:
        yield FilePolicyStore(document)

    service = bench.another_service(bench.core, policy_store=opened)
    service.health.missing.clear()
    bench.service = service
    listener = await Listener(service.public, "127.0.0.1", 0).open()
    yield await at_console(bench, f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


async def compared(console: AtConsole, text: str = WANTED) -> dict[str, str]:
    """The fields of the form that pushes it."""
    csrf = (await console.get("/console/policy")).fields["csrf"]
    shown = await console.tab.post("/console/policy/compare", {"csrf": csrf, "document": text})
    assert "-tokens.access_ttl: 300" in shown.body
    assert "+tokens.access_ttl: 120" in shown.body
    # The document has lines, which the hidden fields of other pages have not.
    told = re.findall(r'name="document" value="([^"]*)"', shown.body, re.DOTALL)[0]
    return {**shown.fields, "document": html.unescape(told).replace("\n", "\r\n")}


async def pushes(console: AtConsole) -> int:
    """How many the audit log has."""
    await console.bench.service.audit.flush()
    return [row.event for row in console.bench.record.tables.audit].count(EventKind.POLICY_PUSHED)


async def test_a_document_is_pushed_over_the_one_it_was_compared_with(console: AtConsole, document: Path) -> None:
    form = await compared(console)
    answer = await console.tab.post("/console/policy", {**form, "confirm": "push"})
    version = parse_policy(WANTED, source="file").version
    assert (answer.status, answer.location) == (303, f"/console/policy?pushed={version}")
    assert document.read_text() == WANTED
    assert await pushes(console) == 1
    [row] = [one for one in console.bench.record.tables.audit if one.event == EventKind.POLICY_PUSHED]
    context = json.loads(row.context)
    assert (row.actor, bool(row.request_id)) == (console.bench.alice.subject, True)
    assert (context["version"], context["cause"]) == (version, "console")
    assert version in (await console.get(answer.location)).body


async def test_nothing_is_pushed_over_what_others_pushed_meanwhile(console: AtConsole, document: Path) -> None:
    form = await compared(console)
    document.write_text("tokens: {access_ttl: 200}\n")
    answer = await console.tab.post("/console/policy", {**form, "confirm": "push"})
    assert answer.status == 409
    assert document.read_text() == "tokens: {access_ttl: 200}\n"
    assert await pushes(console) == 0


async def test_the_same_policy_in_other_words_is_not_pushed(console: AtConsole, document: Path) -> None:
    form = {**await compared(console), "document": f"# other words\n{HELD}"}
    assert (await console.tab.post("/console/policy", {**form, "confirm": "push"})).status == 303
    assert document.read_text() == HELD
    assert await pushes(console) == 0


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"confirm": "no"}, id="not confirmed"),
        pytest.param({"document": "tokens: {acess_ttl: 1}", "confirm": "push"}, id="not valid"),
        pytest.param({"document": "", "confirm": "push"}, id="nothing"),
    ],
)
async def test_what_is_not_to_be_pushed_is_not(console: AtConsole, document: Path, change: dict[str, str]) -> None:
    answer = await console.tab.post("/console/policy", {**await compared(console), **change})
    assert answer.status == 400
    assert document.read_text() == HELD
    assert await pushes(console) == 0
