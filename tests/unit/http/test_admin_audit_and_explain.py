"""The audit log and explained requests over HTTP."""

import asyncio

import aiohttp
import pytest

from authcenter.core import base64url
from authcenter.core.rules import Rule
from tests.unit.http.operators import PROBLEM, Desk
from tests.unit.http.requests import basic
from tests.workbench import Workbench

HUGE = base64url.encode(b"2030-01-01|writer|99999999999999999999")


@pytest.fixture
async def desk(web: aiohttp.ClientSession, bench: Workbench) -> Desk:
    return await Desk.open(web, bench)


async def test_rows_are_told_the_newest_first_and_by_pages(desk: Desk, bench: Workbench) -> None:
    for number in range(3):
        await desk.post("/clients", {"client_id": f"shop-{number}"})
        bench.clock.advance(1)
    seen: list[str] = []
    cursor = ""
    for _ in range(3):
        query = {"cursor": cursor} if cursor else {}
        found = await desk.get("/audit", event="client.created", person="backoffice", limit="1", **query)
        seen += [row["client_id"] for row in found.items]
        cursor = found.body["next_cursor"]
    assert (seen, cursor) == (["shop-2", "shop-1", "shop-0"], None)


async def test_rows_are_found_by_what_they_are_about(desk: Desk, bench: Workbench) -> None:
    made = await desk.post("/clients", {"client_id": "shop"})
    request_id = made.headers["X-Request-Id"]
    (row,) = (await desk.get("/audit", request=request_id)).items
    assert (row["event"], row["actor"], row["context"]["profile"]) == ("client.created", "backoffice", "oauth21")
    assert (await desk.get("/audit", client="shop", since="1h")).items == [row]
    assert (await desk.get("/audit", client="shop", until="1h")).items == []
    assert (await desk.get("/audit", event="key.", client="shop")).items == []


@pytest.mark.parametrize(
    ("query", "status", "rule"),
    [
        pytest.param({"since": "yesterday"}, 422, Rule.INPUT_REFUSED, id="no instant"),
        pytest.param({"person": "x" * 256}, 422, Rule.INPUT_REFUSED, id="a long name"),
        pytest.param({"actor": "x"}, 400, Rule.QUERY_UNKNOWN, id="a mistyped filter"),
        pytest.param({"cursor": "eA"}, 400, Rule.PAGE_MALFORMED, id="another list's cursor"),
        pytest.param(
            {"cursor": "YXx3fDk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"}, 400, Rule.PAGE_MALFORMED, id="a huge sequence"
        ),
        pytest.param({"limit": "0"}, 400, Rule.PAGE_MALFORMED, id="no rows"),
    ],
)
async def test_a_question_that_does_not_hold_is_refused(
    desk: Desk, query: dict[str, str], status: int, rule: Rule
) -> None:
    refused = await desk.get("/audit", **query)
    assert (refused.status, refused.headers["Content-Type"], desk.rule()) == (status, PROBLEM, rule)


async def test_the_log_is_verified(desk: Desk, bench: Workbench) -> None:
    await desk.post("/clients", {"client_id": "shop"})
    verdict = (await desk.post("/audit/verify")).body
    assert (verdict["holds"], verdict["findings"]) == (True, [])
    assert verdict["rows"] >= 1


async def test_one_verification_goes_on_at_a_time(desk: Desk, bench: Workbench) -> None:
    go_on = bench.board.held["trail.checkpoints"] = asyncio.Event()
    first = asyncio.create_task(desk.post("/audit/verify"))
    while "trail.checkpoints" not in bench.board.asked:
        await asyncio.sleep(0.01)
    refused = await desk.post("/audit/verify")
    assert (refused.status, refused.headers["Content-Type"]) == (409, PROBLEM)
    go_on.set()
    assert (await first).body["holds"] is True
    assert (await desk.post("/audit/verify")).status == 200


async def test_a_verification_that_broke_off_shuts_out_no_other(desk: Desk, bench: Workbench) -> None:
    bench.board.off.add("trail.checkpoints")
    assert (await desk.post("/audit/verify")).status == 503
    bench.board.off.clear()
    assert (await desk.post("/audit/verify")).status == 200


async def test_a_refused_request_is_explained_by_its_id_and_found_by_client_rule_and_time(
    desk: Desk, bench: Workbench
) -> None:
    form = {"grant_type": "client_credentials"}
    async with desk.web.post("/oauth/token", data=form, headers=basic("app", "wrong")) as answer:
        assert answer.status == 401
        request_id = answer.headers["X-Request-Id"]
    await bench.service.traces.flush()
    story = (await desk.get(f"/explain/{request_id}")).body
    assert (story["granted"], story["rule"], story["status"]) == (False, "client_secret_wrong", 401)
    assert story["cause"]
    assert story["remedy"]
    assert "wrong" not in str([check["facts"] for check in story["checks"]])
    for query in (
        {"client": "app"},
        {"rule": "client_secret_wrong"},
        {"refused": "true", "client": "app", "since": "1h", "limit": "5"},
    ):
        assert [one["request_id"] for one in (await desk.get("/explain", **query)).items] == [request_id]
    assert (await desk.get("/explain", client="app", until="1h")).items == []
    assert (await desk.get("/explain", client="other")).items == []


@pytest.mark.parametrize("request_id", ["unknown", "%2F", "x" * 300])
async def test_a_request_that_nobody_knows_is_not_found(desk: Desk, request_id: str) -> None:
    assert (await desk.get(f"/explain/{request_id}")).status == 404


@pytest.mark.parametrize("query", [{"refused": "maybe"}, {"since": "soon"}, {"ip": "x" * 256}], ids=str)
async def test_a_search_that_does_not_hold_is_refused(desk: Desk, query: dict[str, str]) -> None:
    assert (await desk.get("/explain", **query)).status == 422


async def test_while_the_record_is_gone_nothing_is_told(desk: Desk, bench: Workbench) -> None:
    bench.board.down = True
    for path in ("/audit", "/explain", "/clients", "/keys"):
        assert (await desk.get(path)).status == 503
