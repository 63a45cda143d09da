"""What every answer carries, and what is answered when nothing else fits."""

import json
import re
from typing import Any

import aiohttp
import pytest

from authcenter.core.rules import Rule
from tests.unit.http.requests import basic
from tests.workbench import Workbench

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
NO_STORE = ["/oauth/token", "/oauth/introspect", "/oauth/revoke"]


def lines(bench: Workbench) -> list[dict[str, Any]]:
    bench.request_log.flush()
    return [json.loads(line) for line in bench.lines.getvalue().splitlines()]


@pytest.mark.parametrize("path", ["/oauth/token", "/nowhere", "/.well-known/jwks.json"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_every_answer_has_the_headers(web: aiohttp.ClientSession, method: str, path: str) -> None:
    async with web.request(method, path) as response:
        assert response.status < 500
        headers = response.headers
        assert UUID7.fullmatch(headers["X-Request-Id"])
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["Strict-Transport-Security"].startswith("max-age=")
        assert headers["Server"] == "authcenter"
        if response.status == 405:
            assert method not in headers["Allow"].split(", ")
        if response.status >= 400 and method != "HEAD":
            assert set(await response.json()) == {"error", "error_description"}


async def test_a_405_names_the_methods_there_are(web: aiohttp.ClientSession) -> None:
    for path, allow in (("/oauth/introspect", "POST"), ("/oauth/token", "OPTIONS, POST")):
        async with web.get(path) as response:
            assert (response.status, response.headers["Allow"]) == (405, allow)


TYPES = [
    pytest.param("application/json", id="JSON"),
    pytest.param("multipart/form-data; boundary=x", id="multipart"),
    pytest.param("text/plain", id="text"),
    pytest.param("application/x-www-form-urlencoded2", id="nearly"),
    pytest.param("", id="none"),
]


@pytest.mark.parametrize("path", NO_STORE)
@pytest.mark.parametrize("content_type", TYPES)
async def test_only_forms_are_read(bench: Workbench, web: aiohttp.ClientSession, content_type: str, path: str) -> None:
    async with web.post(path, data=b"{}", headers={"Content-Type": content_type}) as response:
        assert response.status == 400
        assert (await response.json())["error"] == "invalid_request"
        assert response.headers["Cache-Control"] == "no-store"
    assert lines(bench)[-1]["rule"] == Rule.CONTENT_TYPE


async def test_a_charset_may_be_named(web: aiohttp.ClientSession) -> None:
    headers = {"Content-Type": "Application/X-WWW-Form-urlencoded; charset=UTF-8"}
    async with web.post("/oauth/token", data=b"grant_type=client_credentials", headers=headers) as response:
        assert (await response.json())["error"] == "invalid_client"


async def test_a_body_has_64_kib(bench: Workbench, web: aiohttp.ClientSession) -> None:
    async with web.post("/oauth/token", data=b"a=" + b"x" * (64 * 1024 - 2), headers=FORM) as response:
        assert response.status == 401
    async with web.post("/oauth/token", data=b"a=" + b"x" * (64 * 1024), headers=FORM) as response:
        assert response.status == 413
        assert (await response.json())["error"] == "invalid_request"
    assert lines(bench)[-1]["rule"] == Rule.BODY_TOO_LARGE


async def test_a_401_says_how_to_authenticate(web: aiohttp.ClientSession) -> None:
    for path in NO_STORE:
        async with web.post(path, data={"token": "x", "grant_type": "x"}) as response:
            assert response.status == 401
            assert response.headers["WWW-Authenticate"].startswith("Basic realm=")


async def test_a_defect_tells_the_client_nothing_and_the_log_everything(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError("hunter2")

    frame: Any = bench.service.public.__self__  # type: ignore[attr-defined]
    frame.router.find("/oauth/token").handlers["POST"] = broken
    async with web.post("/oauth/token", data={"grant_type": "x", "client_id": "app"}) as response:
        assert response.status == 500
        body = await response.text()
        request_id = response.headers["X-Request-Id"]
    assert json.loads(body) == {"error": "server_error", "error_description": "The server failed."}
    assert request_id in str(bench.log.calls)
    line = lines(bench)[-1]
    assert (line["rule"], line["status"], line["request_id"]) == (Rule.INTERNAL, 500, request_id)


async def test_one_line_a_request_with_rule_and_hint_and_no_secret(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    auth = basic("app", "hunter2")
    form = {"grant_type": "password", "username": "alice", "password": "hunter3", "client_id": "app"}
    async with web.post("/oauth/token", data=form, headers=auth) as response:
        request_id = response.headers["X-Request-Id"]
    (line,) = lines(bench)
    assert line["request_id"] == request_id
    assert (line["method"], line["route"], line["status"]) == ("POST", "/oauth/token", 401)
    assert (line["rule"], line["client_id"], line["ip"]) == (Rule.CLIENT_SECRET_WRONG, "app", "127.0.0.1")
    assert "hunter" not in bench.lines.getvalue()


async def test_what_strangers_send_makes_no_long_line_and_no_new_label(
    bench: Workbench, web: aiohttp.ClientSession
) -> None:
    form = {"grant_type": "x" * 5_000, "client_id": "line\nbreak" * 5_000}
    async with web.post("/oauth/token", data=form) as response:
        assert response.status == 401
    async with web.request("PROPFIND", "/" + "x" * 5_000) as response:
        assert response.status == 404
    assert all(len(line) < 1_500 for line in bench.lines.getvalue().splitlines())
    assert len(lines(bench)) == 2
    assert bench.counted("token_request_total", grant_type="unknown", outcome="invalid_client") == 1
    assert bench.counted("http_request_seconds_count", method="other", route="unknown", status="404") == 1


async def test_headers_that_are_not_utf8_do_no_harm(bench: Workbench, web: aiohttp.ClientSession) -> None:
    answer = await bench.issue()
    headers = {"User-Agent": "x\udcff", "X-Request-Id": "y\udcff"}
    auth = basic("app", bench.secrets["app"])
    async with web.post("/oauth/revoke", data={"token": answer.access}, headers={**auth, **headers}) as response:
        assert response.status == 200
    bench.record.tables.audit[-1].user_agent.encode()


async def test_an_unavailable_record_is_503_with_retry_after(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.board.down = True
    auth = basic("app", bench.secrets["app"])
    for path, form in (
        ("/oauth/token", {"grant_type": "client_credentials"}),
        ("/oauth/introspect", {"token": "x"}),
        ("/oauth/revoke", {"token": "x"}),
    ):
        async with web.post(path, data=form, headers=auth) as response:
            assert response.status == 503
            assert response.headers["Retry-After"] == "1"
            assert (await response.json())["error"] == "temporarily_unavailable"


async def test_a_draining_process_closes_its_connections(bench: Workbench, web: aiohttp.ClientSession) -> None:
    bench.service.health.closing = True
    async with web.get("/.well-known/jwks.json") as response:
        assert response.headers["Connection"] == "close"
