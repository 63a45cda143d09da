"""CORS: what is public for everybody, the rest for the client's own origins, never with credentials."""

import aiohttp
import pytest

from tests.unit.http.requests import basic
from tests.workbench import Workbench

OWN, FOREIGN = "https://spa.example", "https://evil.example"
EXPOSED = {"WWW-Authenticate", "DPoP-Nonce", "X-Request-Id"}
PUBLIC = ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


async def post(
    bench: Workbench, web: aiohttp.ClientSession, path: str, origin: str, client: str = "svc", secret: str | None = None
) -> aiohttp.ClientResponse:
    if client == "svc":
        await bench.client("svc", grants=frozenset({"client_credentials"}), origins=frozenset({OWN}))
        await bench.follow()
    auth = basic(client, bench.secrets[client] if secret is None else secret)
    form = {"grant_type": "client_credentials", "token": "x"}
    async with web.post(path, data=form, headers={**auth, "Origin": origin}) as response:
        await response.read()
        assert "Access-Control-Allow-Credentials" not in response.headers
        return response


@pytest.mark.parametrize("path", PUBLIC)
async def test_anybody_may_read_what_is_public(web: aiohttp.ClientSession, path: str) -> None:
    async with web.get(path, headers={"Origin": FOREIGN}) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "*"
    headers = {"Origin": FOREIGN, "Access-Control-Request-Method": "GET"}
    async with web.options(path, headers=headers) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
async def test_a_clients_own_origin_may_read_its_answers(
    bench: Workbench, web: aiohttp.ClientSession, path: str
) -> None:
    response = await post(bench, web, path, OWN)
    assert response.status == 200
    assert response.headers["Access-Control-Allow-Origin"] == OWN
    assert set(response.headers["Access-Control-Expose-Headers"].split(", ")) == EXPOSED
    assert response.headers["Vary"] == "Origin"


REFUSED = [FOREIGN, "null", "https://spa.example.evil.example", "http://spa.example", "https://spa.example:8443", ""]


@pytest.mark.parametrize("origin", REFUSED)
async def test_no_other_origin_may(bench: Workbench, web: aiohttp.ClientSession, origin: str) -> None:
    response = await post(bench, web, "/oauth/token", origin)
    assert response.status == 200
    assert "Access-Control-Allow-Origin" not in response.headers
    assert response.headers["Vary"] == "Origin"


async def test_the_origin_of_another_client_may_not(bench: Workbench, web: aiohttp.ClientSession) -> None:
    response = await post(bench, web, "/oauth/token", OWN, client="app")
    assert "Access-Control-Allow-Origin" not in response.headers


async def test_a_refusal_can_be_read_too(bench: Workbench, web: aiohttp.ClientSession) -> None:
    response = await post(bench, web, "/oauth/token", OWN, secret="wrong")
    assert response.status == 401
    assert response.headers["Access-Control-Allow-Origin"] == OWN


async def test_introspection_is_not_for_browsers(bench: Workbench, web: aiohttp.ClientSession) -> None:
    response = await post(bench, web, "/oauth/introspect", OWN)
    assert response.status == 200
    assert not [name for name in response.headers if name.startswith("Access-Control")]
    async with web.options("/oauth/introspect", headers={"Origin": OWN}) as preflight:
        assert preflight.status == 405


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
@pytest.mark.parametrize(("origin", "told"), [(OWN, OWN), (FOREIGN, FOREIGN), ("null", None), ("*", None)])
async def test_a_preflight_needs_no_authentication(
    web: aiohttp.ClientSession, path: str, origin: str, told: str | None
) -> None:
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    async with web.options(path, headers=headers) as response:
        assert response.status == 204
        assert response.headers.get("Access-Control-Allow-Origin") == told
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert "Authorization" in response.headers["Access-Control-Allow-Headers"]
        assert "DPoP" in response.headers["Access-Control-Allow-Headers"]
        assert response.headers["Vary"] == "Origin"


async def test_without_the_record_an_answer_stays_closed(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.board.down = True
    response = await post(bench, web, "/oauth/token", OWN, client="app")
    assert response.status == 503
    assert "Access-Control-Allow-Origin" not in response.headers
