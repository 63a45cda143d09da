"""What a revocation would hit, and the revocation, over HTTP."""

from typing import Any

import aiohttp
import pytest

from authcenter.core.event import EventKind
from tests.unit.http.operators import Desk
from tests.workbench import API, Answer, Workbench


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


@pytest.fixture
async def issued(desk: Desk, bench: Workbench) -> Answer:
    """Alice's, of ``app``; another of hers, and one of the client itself, lie beside it in the log."""
    first = await bench.issue(scope="read")
    await bench.issue(scope="read")
    await bench.ask("client_credentials", resource=API)
    await bench.service.audit.flush()
    bench.events.clear()
    return first


async def test_what_would_be_hit_is_counted_and_nothing_is_changed(
    desk: Desk, bench: Workbench, issued: Answer
) -> None:
    told = (await desk.get("/tokens/blast-radius", client="app")).body
    assert (told["by"], told["value"], told["issued_before"], told["complete"]) == ("client", "app", "now", True)
    assert (told["tokens"], told["subjects"], told["clients"]) == (3, 2, {"app": 3})
    assert (await desk.get("/tokens/blast-radius", subject=bench.alice.subject)).body["tokens"] == 2
    assert (await desk.get("/tokens/blast-radius", family=issued.claims["fam"])).body["tokens"] == 1
    assert (await desk.get("/tokens/blast-radius", jti=issued.claims["jti"])).body["tokens"] == 1
    assert (await desk.get("/tokens/blast-radius", key=bench.signer.kid)).body["tokens"] >= 3
    assert (await desk.get("/tokens/blast-radius", issued_before="1h")).body["tokens"] == 0
    assert await bench.active(issued.access)
    assert bench.events == []


@pytest.mark.parametrize("by", ["client", "subject", "family", "jti"])
async def test_what_is_named_is_refused_and_what_was_foreseen_is_gone(
    desk: Desk, bench: Workbench, issued: Answer, by: str
) -> None:
    bench.clock.advance(2)
    value = {
        "client": "app",
        "subject": bench.alice.subject,
        "family": issued.claims["fam"],
        "jti": issued.claims["jti"],
    }[by]
    revoked = await desk.post("/tokens/revoke", {by: value, "reason": "lost phone"})
    assert (revoked.status, revoked.body["by"], revoked.body["value"]) == (200, by, value)
    assert not await bench.active(issued.access)
    assert (await desk.get("/tokens/blast-radius", **{by: value})).body["tokens"] == 0
    event = bench.events[-1]
    kind = EventKind.TOKEN_REVOKED if by == "jti" else EventKind.TOKENS_CUT
    assert (event.kind, event.actor, event.context["reason"]) == (kind, "backoffice", "lost phone")
    assert event.origin is not None


async def test_one_token_by_its_jti_leaves_its_sibling(desk: Desk, bench: Workbench, issued: Answer) -> None:
    sibling = await bench.refresh(issued.refresh)
    await desk.post("/tokens/revoke", {"jti": issued.claims["jti"], "reason": "seen in a log"})
    assert not await bench.active(issued.access)
    assert await bench.active(sibling.access)


async def test_a_jti_that_the_log_does_not_know_is_cut_all_the_same(desk: Desk, bench: Workbench) -> None:
    revoked = await desk.post("/tokens/revoke", {"jti": "of-an-archived-row", "reason": "lost"})
    assert revoked.status == 200
    assert bench.events[-1].kind == EventKind.TOKENS_CUT


async def test_a_key_is_revoked_with_a_successor(desk: Desk, bench: Workbench, issued: Answer) -> None:
    signs = bench.signer.kid
    assert (await desk.post("/tokens/revoke", {"key": signs, "reason": "leaked"})).status == 200
    assert bench.signer.kid != signs
    assert not await bench.active(issued.access)


async def test_everything_until_an_instant_is_refused(desk: Desk, bench: Workbench, issued: Answer) -> None:
    bench.clock.advance(60)
    desk.token = await desk.own_token()
    revoked = await desk.post("/tokens/revoke", {"issued_before": "30s", "reason": "break-in"})
    assert (revoked.status, revoked.body["by"], revoked.body["issued_before"]) == (
        200,
        "everything",
        "2030-01-01T12:00:30Z",
    )
    assert not await bench.active(issued.access)
    assert (await desk.get("/keys")).status == 200


REFUSED = [
    pytest.param({}, 422, id="nothing"),
    pytest.param({"client": "app", "jti": "j"}, 422, id="two things"),
    pytest.param({"client": ""}, 422, id="empty"),
    pytest.param({"family": "f", "issued_before": "1h"}, 422, id="a narrowed family"),
    pytest.param({"issued_before": "2031-01-01"}, 422, id="the future"),
    pytest.param({"issued_before": "soon"}, 422, id="no instant"),
    pytest.param({"client": "nobody"}, 404, id="unknown client"),
    pytest.param({"subject": "usr_nobody"}, 404, id="unknown subject"),
    pytest.param({"key": "nope"}, 404, id="unknown key"),
]


@pytest.mark.parametrize(("named", "status"), REFUSED)
async def test_what_is_not_one_known_thing_is_neither_counted_nor_revoked(
    desk: Desk, bench: Workbench, named: dict[str, str], status: int
) -> None:
    assert (await desk.get("/tokens/blast-radius", **named)).status == status
    assert (await desk.post("/tokens/revoke", {**named, "reason": "lost"})).status == status
    assert bench.events == []


@pytest.mark.parametrize("change", [{"reason": ""}, {"reason": 1}, {"clients": "app"}, {"client": ["app"]}], ids=str)
async def test_a_malformed_revocation_revokes_nothing(desk: Desk, bench: Workbench, change: dict[str, Any]) -> None:
    assert (await desk.post("/tokens/revoke", {"client": "app", "reason": "lost", **change})).status == 422
    assert bench.events == []
