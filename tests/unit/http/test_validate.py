"""The forward authentication endpoint as gateways see it: statuses, challenges, headers; no method, path or body."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authcenter.core.base64url import encode
from authcenter.http.server import Listener
from authcenter.http.validate import IDENTITY_HEADERS, identity_lines
from authcenter.jose.access_token import read_claims
from authcenter.jose.jws import split
from tests.forgery import forged
from tests.unit.http.recording import compare
from tests.workbench import API, Workbench

SHOP = "/oauth/validate/shop"
POLICY = f"gateways: {{shop: {{audience: '{API}', scopes: [read]}}, open: {{audience: '{API}'}}}}"


@pytest.fixture(autouse=True)
def shop(bench: Workbench) -> Workbench:
    bench.offer(POLICY)
    return bench


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def told(answer: aiohttp.ClientResponse) -> dict[str, str]:
    """The identity in an answer, decoded."""
    return {name.removeprefix("X-Auth-").lower(): unquote(answer.headers[name]) for name in IDENTITY_HEADERS}


async def test_a_person_is_told(bench: Workbench, web: aiohttp.ClientSession) -> None:
    answer = await bench.issue(scope="read write")
    async with web.get(SHOP, headers=bearer(answer.access)) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert told(response) == {
            "subject": bench.alice.subject,
            "client": "app",
            "scope": "read write",
            "username": "",
            "roles": "reader",
            "acr": answer.claims.get("acr", ""),
        }


async def test_all_headers_are_there_once_even_when_empty(bench: Workbench, web: aiohttp.ClientSession) -> None:
    for _ in range(2):
        async with web.get(SHOP, headers=bearer((await bench.ask("client_credentials")).access)) as response:
            assert [len(response.headers.getall(name)) for name in IDENTITY_HEADERS] == [1] * 6
            assert (told(response)["subject"], told(response)["roles"]) == ("app", "")


async def test_the_username_is_the_tokens_own(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with web.get(
        SHOP, headers=bearer(forged(bench.signer, {"username": "Zo\u00eb, a\r\nX-Auth-Acr: 9"}))
    ) as response:
        assert response.headers["X-Auth-Username"] == "Zo%C3%AB%2C%20a%0D%0AX-Auth-Acr%3A%209"
        assert response.headers["X-Auth-Acr"] == ""


@given(st.dictionaries(st.sampled_from(["sub", "scope", "username", "roles", "acr"]), st.text() | st.lists(st.text())))
def test_no_claim_breaks_out_of_its_header(claims: dict[str, Any]) -> None:
    good = {"iss": "i", "sub": "s", "aud": "a", "exp": 1, "iat": 1, "jti": "j", "client_id": "c"}
    payload = {**good, **claims, "sub": str(claims.get("sub", "s"))}
    token = ".".join(encode(part) for part in (b'{"alg":"none"}', json.dumps(payload).encode(), b"none"))
    lines = identity_lines(read_claims(token, split(token), "kid"))
    assert lines.isascii()
    assert [line.partition(b":")[0].decode() for line in lines.split(b"\r\n")] == [*IDENTITY_HEADERS, ""]


@pytest.fixture
async def port(bench: Workbench) -> AsyncIterator[int]:
    """Of the public listener, for requests that no client library would send."""
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield listener.port
    await listener.runner.cleanup()


async def status_line(port: int, method: str, path: str, token: str, *headers: str) -> str:
    """The status line of the answer to these very bytes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Authorization: Bearer {token}", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    line = await reader.readline()
    writer.close()
    return line.decode()


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]
PATHS = ["", "/", "/orders/1?x=y", "?x=/../open", "/../open", "/%2e%2e/open", "/..%2fopen", "//open", "/;/../open"]


@pytest.mark.parametrize("path", PATHS)
async def test_method_and_path_of_the_request_play_no_part(bench: Workbench, port: int, path: str) -> None:
    good, poor = forged(bench.signer), forged(bench.signer, {"scope": "write"})
    for method in METHODS:
        for token, status in ((good, "200"), (poor, "403"), ("x", "401")):
            assert status in await status_line(port, method, f"{SHOP}{path}", token)


@pytest.mark.parametrize(
    "path", ["/oauth/validate", "/oauth/validate/", "/oauth/validate/nobody", "/oauth/validate/shop*"]
)
async def test_an_unknown_gateway_is_404_with_a_good_token_too(
    bench: Workbench, web: aiohttp.ClientSession, path: str
) -> None:
    for headers in (bearer(forged(bench.signer)), {}):
        async with web.get(path, headers=headers) as response:
            assert response.status == 404


@pytest.mark.parametrize("header", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
async def test_a_body_that_is_promised_and_stays_away_is_not_waited_for(
    bench: Workbench, port: int, header: str
) -> None:
    assert "200" in await status_line(port, "POST", SHOP, forged(bench.signer), header)


CREDENTIALS = [
    pytest.param([], False, id="none"),
    pytest.param(["Basic YTpi"], False, id="another scheme"),
    pytest.param([""], False, id="an empty header"),
    pytest.param(["Bearer"], True, id="no token"),
    pytest.param(["Bearer   "], True, id="blanks for a token"),
    pytest.param(["Bearer {good}", "Bearer {good}"], True, id="twice the same"),
    pytest.param(["Bearer {good}", "Basic YTpi"], True, id="two ways"),
    pytest.param(["Bearer {good}, Bearer {good}"], True, id="two in one"),
    pytest.param(["Bearer {good} x"], True, id="more after it"),
    pytest.param(["Bearer \u00e9"], True, id="not ASCII"),
    pytest.param(["DPoP {good}"], False, id="as a bound token"),
]


@pytest.mark.parametrize(("sent", "named"), CREDENTIALS)
async def test_what_is_no_bearer_token_is_401(
    bench: Workbench, web: aiohttp.ClientSession, sent: list[str], named: bool
) -> None:
    headers = [("Authorization", value.replace("{good}", forged(bench.signer))) for value in sent]
    async with web.get(f"{SHOP}?access_token={forged(bench.signer)}", headers=headers) as response:
        assert response.status == 401
        assert response.headers["WWW-Authenticate"].startswith('Bearer realm="authcenter"')
        assert ("error=" in response.headers["WWW-Authenticate"]) == named
        assert not set(IDENTITY_HEADERS) & set(response.headers)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_is_case_insensitive(bench: Workbench, web: aiohttp.ClientSession, scheme: str) -> None:
    async with web.get(SHOP, headers={"Authorization": f"{scheme} {forged(bench.signer)}"}) as response:
        assert response.status == 200


@pytest.mark.parametrize(("left", "kept"), [(900, "private, max-age=5"), (3, "private, max-age=3"), (0, "no-store")])
async def test_how_long_the_answer_may_be_kept(
    bench: Workbench, web: aiohttp.ClientSession, left: int, kept: str
) -> None:
    token = forged(bench.signer)
    bench.clock.advance(900 - left)
    async with web.get(SHOP, headers=bearer(token)) as response:
        assert (response.headers["Cache-Control"], response.headers["Vary"]) == (kept, "Authorization")
        assert response.headers["X-Accel-Expires"] == str(min(5, left))


async def test_no_refusal_is_kept(bench: Workbench, web: aiohttp.ClientSession) -> None:
    for path, token in ((SHOP, "x"), (SHOP, forged(bench.signer, {"scope": "no"})), ("/oauth/validate/nobody", "x")):
        async with web.get(path, headers=bearer(token)) as response:
            assert response.headers["Cache-Control"] == "no-store"
            assert "X-Accel-Expires" not in response.headers


async def test_one_holder_is_never_told_as_another(bench: Workbench, web: aiohttp.ClientSession) -> None:
    tokens = {name: forged(bench.signer, {"sub": name, "jti": name}) for name in ("one", "two", "three")}
    for name in (*tokens, *reversed(tokens), *tokens):
        async with web.get(SHOP, headers=bearer(tokens[name])) as response:
            assert response.headers["X-Auth-Subject"] == name


async def test_what_a_page_of_another_origin_may_read_is_nothing(bench: Workbench, web: aiohttp.ClientSession) -> None:
    headers = {**bearer(forged(bench.signer)), "Origin": "https://page.example"}
    async with web.get(SHOP, headers=headers) as response:
        assert not [name for name in response.headers if name.startswith("Access-Control-")]


async def test_in_an_outage_with_closed_it_is_503(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.offer(f"{POLICY}\nrevocation: {{on_outage: closed}}")
    bench.clock.advance(60)
    async with web.get(SHOP, headers=bearer(forged(bench.signer))) as response:
        assert (response.status, response.headers["Retry-After"]) == (503, "1")


def lines(bench: Workbench) -> list[dict[str, Any]]:
    bench.request_log.flush()
    return [json.loads(line) for line in bench.lines.getvalue().splitlines()]


ASKED = {"X-Original-Method": "DELETE", "X-Original-URI": "/orders/7?access_token=secret#x", "X-Forwarded-Uri": "/no"}
ABSOLUTE = {"X-Forwarded-Method": "PATCH", "X-Forwarded-Uri": "https://user:secret@shop.example/orders/7?q"}


async def test_a_strangers_word_on_the_original_request_counts_for_nothing(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    async with web.get(SHOP, headers={**bearer(forged(bench.signer)), **ASKED}) as response:
        assert response.status == 200
    assert "original_path" not in lines(bench)[-1]


@pytest.mark.parametrize(("headers", "method"), [(ASKED, "DELETE"), (ABSOLUTE, "PATCH")])
async def test_a_trusted_gateways_word_is_logged_without_the_query(
    proxied: tuple[Workbench, aiohttp.ClientSession], headers: dict[str, str], method: str
) -> None:
    bench, web = proxied
    for token, status in ((forged(bench.signer), 200), ("x", 401)):
        async with web.get(SHOP, headers={**bearer(token), **headers}) as response:
            assert response.status == status
        line = lines(bench)[-1]
        assert (line["original_method"], line["original_path"]) == (method, "/orders/7")
        assert line["route"] == "/oauth/validate/{gateway}"
    assert "secret" not in bench.lines.getvalue()
    assert lines(bench)[0]["client_id"] == "app"


@pytest.fixture
async def proxied(cheap_hashing: Any) -> AsyncIterator[tuple[Workbench, aiohttp.ClientSession]]:
    """A service that trusts the tests as its proxy."""
    bench = await Workbench(cheap_hashing, POLICY, TRUSTED_PROXIES="127.0.0.1/32").start()
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.port}") as session:
        yield bench, session
    await listener.runner.cleanup()


SNAPSHOTS = [
    pytest.param({}, "validate_good", id="good"),
    pytest.param({"scope": "write"}, "validate_insufficient_scope", id="insufficient scope"),
    pytest.param({"aud": "urn:other"}, "validate_invalid_token", id="invalid token"),
]


@pytest.mark.parametrize(("claims", "name"), SNAPSHOTS)
async def test_the_snapshot_of(bench: Workbench, web: aiohttp.ClientSession, claims: dict[str, Any], name: str) -> None:
    async with web.get(SHOP, headers=bearer(forged(bench.signer, claims))) as response:
        await compare(name, response)


async def test_the_snapshot_of_a_request_without_a_token(web: aiohttp.ClientSession) -> None:
    async with web.get(SHOP) as response:
        await compare("validate_without_token", response)
