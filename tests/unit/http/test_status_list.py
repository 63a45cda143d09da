"""Status lists over HTTP: negotiation, caching, CORS, refusals."""

import aiohttp
import pytest

from tests.workbench import ISSUER, Workbench

MEDIA_TYPE = "application/statuslist+jwt"


@pytest.fixture
async def path(bench: Workbench) -> str:
    """The path of a list."""
    bench.offer("tokens: {status_list: true}")
    uri: str = (await bench.issue()).claims["status"]["status_list"]["uri"]
    return uri.removeprefix(ISSUER)


ACCEPTS = [
    pytest.param(MEDIA_TYPE, 200, id="jwt"),
    pytest.param("*/*", 200, id="anything"),
    pytest.param(f"application/statuslist+cwt, {MEDIA_TYPE};q=0.5", 200, id="one of several"),
    pytest.param("application/*", 200, id="a range"),
    pytest.param("", 200, id="nothing"),
    pytest.param("application/statuslist+cwt", 406, id="cwt"),
    pytest.param("text/html", 406, id="a page"),
]


@pytest.mark.parametrize(("accept", "status"), ACCEPTS)
async def test_only_the_jwt_form_is_served(web: aiohttp.ClientSession, path: str, accept: str, status: int) -> None:
    async with web.get(path, headers={"Accept": accept}) as answer:
        assert answer.status == status
        assert answer.content_type == (MEDIA_TYPE if status == 200 else "application/json")


async def test_a_list_may_be_kept_for_its_ttl_and_read_by_anybody(web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path) as answer, web.head(path) as head:
        assert answer.headers["Cache-Control"] == "public, max-age=10"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Vary"] == "Accept"
        assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    async with web.get(path, headers={"If-None-Match": answer.headers["ETag"]}) as again:
        assert again.status == 304
    async with web.options(path, headers={"Origin": "https://a.example"}) as preflight:
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("name", ["a" * 16, "short", "x" * 5000, "%2e%2e", "a/b"])
async def test_there_is_no_other_list(web: aiohttp.ClientSession, path: str, name: str) -> None:
    async with web.get(f"/oauth/status/{name}") as answer:
        assert answer.status == 404
        assert (await answer.json())["error"] == "not_found"


async def test_earlier_times_are_not_known(web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path, params={"time": "1686925000"}) as answer:
        assert answer.status == 501


async def test_where_all_lists_are_is_announced_where_the_policy_wants_lists(
    bench: Workbench, web: aiohttp.ClientSession, path: str
) -> None:
    async with web.get("/.well-known/oauth-authorization-server") as metadata:
        endpoint = (await metadata.json())["status_list_aggregation_endpoint"]
    async with web.get(endpoint.removeprefix(ISSUER)) as answer:
        assert await answer.json() == {"status_lists": [f"{ISSUER}{path}"]}
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    bench.offer("")
    async with web.get("/.well-known/oauth-authorization-server") as metadata:
        assert "status_list_aggregation_endpoint" not in await metadata.json()
    async with web.get(path) as answer:
        assert answer.status == 200, "tokens that name it may still be alive"


async def test_a_list_is_no_access_token(bench: Workbench, web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path) as answer:
        assert not await bench.active(await answer.text())
