"""The description of the service: valid, and of exactly what is mounted."""

import json
from typing import Any

import aiohttp
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from authcenter.http.openapi import METHODS, description, operations
from authcenter.http.router import Route, Router
from tests.workbench import ISSUER, Workbench

NOT_DESCRIBED = {
    "HEAD": "answers as GET does, without the body",
    "OPTIONS": "is the CORS preflight, which browsers send by themselves",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return description(ISSUER)


def test_the_description_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert [str(problem) for problem in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_mounted_route_and_method_is_described_and_nothing_else_is(
    document: dict[str, Any], bench: Workbench
) -> None:
    mounted = {
        (route.path, method)
        for router in (_router(bench.service.public), _router(bench.service.operators))
        for route in router.routes
        for method in _methods(route)
    }
    described = {(path, method.upper()) for path, method, _ in operations(document)}
    assert mounted - described == set(), "say in authcenter/openapi what these do"
    assert described - mounted == set(), "nothing is mounted there any more: take it out of authcenter/openapi"


def test_every_operation_says_what_it_does_who_may_and_what_comes_of_it(document: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    seen = set()
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        assert "security" in operation, (path, method)
        assert set(operation["tags"]) <= tags, (path, method)
        assert any(status.startswith("2") for status in operation["responses"]) or "303" in operation["responses"]
        seen.add(operation["operationId"])
    assert len(seen) == len(list(operations(document)))


def test_whoever_lacks_a_token_is_refused_by_every_operation_of_operators_says_the_description(
    document: dict[str, Any],
) -> None:
    for path, method, operation in operations(document):
        ours = path.startswith("/admin/")
        assert (operation["security"] == [{"operator": []}]) is ours, (path, method)
        assert not ours or {"401", "403"} <= set(operation["responses"])


async def test_the_description_is_served_with_the_issuer_as_its_server(web: aiohttp.ClientSession) -> None:
    async with web.get("/openapi.json") as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
        assert "Access-Control-Allow-Origin" not in answer.headers
        served = json.loads(await answer.read())
        etag = answer.headers["ETag"]
    assert served["servers"] == [{"url": ISSUER}]
    assert served == description(ISSUER)
    async with web.get("/openapi.json", headers={"If-None-Match": f'"x", W/{etag}'}) as again:
        assert (again.status, again.headers["ETag"], await again.read()) == (304, etag, b"")


def _router(handler: Any) -> Router:
    router: Router = handler.__self__.router
    return router


def _methods(route: Route) -> set[str]:
    if route.any_method is not None:
        return {method.upper() for method in METHODS}
    return set(route.handlers) - set(NOT_DESCRIBED)
