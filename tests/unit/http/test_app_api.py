"""JSON for first-party apps: sign in, refresh, sign out, and what a person is told of themselves."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
import pytest

from authcenter.core.client import AuthMethod
from authcenter.core.event import EventKind
from authcenter.core.rules import Rule
from authcenter.http.forms import MAX_BODY_BYTES
from authcenter.proofs.pkce import challenge_of
from tests.authenticator import enrol
from tests.unit.http.browsing import Tab
from tests.unit.http.requests import basic
from tests.workbench import API, ISSUER, PASSWORD, Workbench

AUTH = "/api/v1/auth"
LOGIN = {"username": "alice", "password": PASSWORD}
PROBLEM = "application/problem+json"


@dataclass
class App:
    """The first-party client ``phone``."""

    web: aiohttp.ClientSession
    bench: Workbench
    headers: dict[str, str] = field(default_factory=dict)

    async def post(self, name: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any], Any]:
        return await self.send("POST", name, body, **headers)

    async def send(self, method: str, name: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any], Any]:
        sent = {**self.headers, **headers}
        async with self.web.request(method, f"{AUTH}/{name}", json=body, headers=sent) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else {}, answer.headers

    async def login(self, **changes: Any) -> dict[str, Any]:
        status, tokens, _ = await self.post(
            "login", {**LOGIN, **changes}, **basic("phone", self.bench.secrets["phone"])
        )
        assert status == 200, tokens
        return tokens


@pytest.fixture
async def app(web: aiohttp.ClientSession, bench: Workbench) -> App:
    grants = frozenset({"password", "refresh_token"})
    scopes = frozenset({"openid", "read"})
    await bench.client("phone", grants=grants, scopes=scopes, audiences=(API,), first_party=True)
    await bench.client("partner", grants=grants, scopes=scopes, audiences=(API,))
    bench.events.clear()
    return App(web, bench)


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def rule_of(bench: Workbench) -> str:
    bench.request_log.flush()
    return str(json.loads(bench.lines.getvalue().splitlines()[-1]).get("rule"))


async def test_a_login_gives_tokens_for_the_app_and_for_the_account(app: App, bench: Workbench) -> None:
    status, tokens, headers = await app.post("login", LOGIN, **basic("phone", bench.secrets["phone"]))
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "application/json", "no-store")
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
    assert tokens["scope"] == "openid read"
    held = await bench.core.verifier.read(tokens["access_token"])
    assert held.audience == (API, ISSUER)
    assert held.subject == bench.alice.subject
    assert bench.counted("token_request_total", grant_type="password", outcome="granted") == 1
    assert bench.counted("login_total", outcome="success") == 1


async def test_a_client_may_name_itself_in_the_document(app: App, bench: Workbench) -> None:
    await bench.client(
        "form",
        grants=frozenset({"password"}),
        auth_methods=frozenset({AuthMethod.SECRET_POST}),
        first_party=True,
    )
    document = {**LOGIN, "client_id": "form", "client_secret": bench.secrets["form"], "scope": "read", "x": {"y": 1}}
    status, tokens, _ = await app.post("login", document)
    assert (status, tokens["scope"]) == (200, "read")


async def test_a_refresh_rotates_and_a_replay_ends_all(app: App, bench: Workbench) -> None:
    first = await app.login()
    own = basic("phone", bench.secrets["phone"])
    status, second, _ = await app.post("refresh", {"refresh_token": first["refresh_token"]}, **own)
    assert status == 200
    assert second["refresh_token"] != first["refresh_token"]
    assert (await app.send("GET", "me", **bearer(second)))[0] == 200
    status, refused, headers = await app.post("refresh", {"refresh_token": first["refresh_token"]}, **own)
    assert (status, refused["error"], headers["Content-Type"]) == (400, "invalid_grant", PROBLEM)
    status, refused, _ = await app.post("refresh", {"refresh_token": second["refresh_token"]}, **own)
    assert (status, refused["error"]) == (400, "invalid_grant")
    await bench.follow()
    assert (await app.send("GET", "me", **bearer(second)))[0] == 401


async def test_me_tells_the_person_who_they_are(app: App, bench: Workbench) -> None:
    await bench.core.accounts.set_claims("alice", {"name": "Alice", "locale": "de"}, actor="tests")
    status, told, headers = await app.send("GET", "me", **bearer(await app.login()))
    assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert told == {
        "sub": bench.alice.subject,
        "username": "alice",
        "roles": ["reader"],
        "email": "alice@example.com",
        "email_verified": True,
        "locale": "de",
        "name": "Alice",
        "preferred_username": "alice",
        "updated_at": int(bench.alice.updated_at.timestamp()),
    }


async def test_me_changes_what_is_the_persons_own(app: App, bench: Workbench) -> None:
    tokens = await app.login()
    await bench.core.accounts.set_claims("alice", {"name": "Alice", "locale": "de"}, actor="tests")
    status, told, headers = await app.send("PATCH", "me", {"name": "Alice Doe", "locale": None}, **bearer(tokens))
    assert (status, told["name"], "locale" in told) == (200, "Alice Doe", False)
    assert bench.alice.claims == {"name": "Alice Doe"}
    assert bench.events[-1].actor == bench.alice.subject
    row = bench.record.tables.audit[-1]
    assert (row.event, row.ip, row.request_id) == ("user.claims_set", "127.0.0.1", headers["X-Request-Id"])


@pytest.mark.parametrize(
    "changes",
    [
        {"phone_number_verified": True},
        {"email": "m@example.com"},
        {"roles": ["operator"]},
        {"sub": "usr_x"},
        {"name": 7},
        {"name": ""},
        {"picture": "javascript:alert(1)"},
        {"address": {"planet": "Mars"}},
    ],
    ids=str,
)
async def test_me_refuses_what_is_not_theirs_or_does_not_hold(app: App, bench: Workbench, changes: Any) -> None:
    tokens, before = await app.login(), bench.alice
    status, told, headers = await app.send("PATCH", "me", {**changes, "nickname": "Al"}, **bearer(tokens))
    assert (status, headers["Content-Type"], told["status"]) == (422, PROBLEM, 422)
    assert next(iter(changes)) in told["detail"]
    assert bench.alice == before
    assert rule_of(bench) == Rule.INPUT_REFUSED


async def test_a_logout_ends_the_family(app: App, bench: Workbench) -> None:
    tokens, other = await app.login(), await app.login()
    assert (await app.post("logout", **bearer(tokens)))[:2] == (204, {})
    assert bench.kinds() == [EventKind.FAMILY_ENDED]
    assert bench.ended(tokens["refresh_token"])
    await bench.follow()
    assert (await app.post("logout", **bearer(tokens)))[0] == 401
    assert (await app.send("GET", "me", **bearer(other)))[0] == 200
    own = basic("phone", bench.secrets["phone"])
    assert (await app.post("refresh", {"refresh_token": tokens["refresh_token"]}, **own))[0] == 400


async def test_a_logout_ends_the_session_that_the_token_comes_from(app: App, bench: Workbench) -> None:
    await bench.client(
        "site",
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        redirect_uris=("https://site.example/cb",),
        first_party=True,
    )
    asked = {"client_id": "site", "redirect_uri": "https://site.example/cb", "response_type": "code", "scope": "openid"}
    tab = Tab(str(app.web._base_url).rstrip("/"))
    challenge = {"code_challenge": challenge_of("v" * 43), "code_challenge_method": "S256"}
    shown = await tab.follow(await tab.get(f"/oauth/authorize?{urlencode({**asked, **challenge})}"))
    answer = await tab.follow(await tab.post("/login", {**shown.fields, **LOGIN}))
    code = parse_qs(urlsplit(answer.location).query)["code"][0]
    form = {**asked, "grant_type": "authorization_code", "code": code, "code_verifier": "v" * 43}
    tokens = json.loads((await tab.post("/oauth/token", form)).body)
    assert (await tab.get("/account")).status == 200
    assert (await app.post("logout", **bearer(tokens)))[0] == 204
    await bench.follow()
    assert (await tab.get("/account")).status == 303
    assert (await app.send("GET", "me", **bearer(tokens)))[0] == 401
    assert bench.kinds()[-1] == EventKind.SESSION_ENDED


async def test_a_logout_without_a_family_revokes_the_token(app: App, bench: Workbench) -> None:
    await bench.client("brief", grants=frozenset({"password"}), scopes=frozenset({"openid"}), first_party=True)
    _, tokens, _ = await app.post("login", LOGIN, **basic("brief", bench.secrets["brief"]))
    assert "refresh_token" not in tokens
    assert (await app.post("logout", **bearer(tokens)))[0] == 204
    await bench.follow()
    assert (await app.send("GET", "me", **bearer(tokens)))[0] == 401


REFUSALS: list[Any] = [
    pytest.param({"password": "wrong"}, "phone", 400, "invalid_grant", Rule.USER_PASSWORD_WRONG, id="wrong password"),
    pytest.param({"username": "nobody"}, "phone", 400, "invalid_grant", Rule.USER_UNKNOWN, id="unknown name"),
    pytest.param({"username": None}, "phone", 400, "invalid_request", Rule.PARAMETER_MISSING, id="no name"),
    pytest.param({"username": ["alice"]}, "phone", 400, "invalid_request", Rule.PARAMETER_MALFORMED, id="a list"),
    pytest.param({"scope": "write"}, "phone", 400, "invalid_scope", Rule.SCOPE_NOT_ALLOWED, id="another scope"),
    pytest.param(
        {"resource": "https://x.example"}, "phone", 400, "invalid_target", Rule.RESOURCE_NOT_ALLOWED, id="aud"
    ),
    pytest.param({}, "partner", 403, "unauthorized_client", Rule.CLIENT_NOT_FIRST_PARTY, id="not first-party"),
    pytest.param({"client_secret": "x"}, "phone", 400, "invalid_request", Rule.CREDENTIALS_SEVERAL, id="two secrets"),
]


@pytest.mark.parametrize(("changes", "client", "status", "error", "rule"), REFUSALS)
async def test_a_refused_login_is_a_problem_document(
    app: App, bench: Workbench, changes: Any, client: str, status: int, error: str, rule: Rule
) -> None:
    answer = await app.post("login", {**LOGIN, **changes}, **basic(client, bench.secrets[client]))
    assert (answer[0], answer[1]["error"], answer[2]["Content-Type"]) == (status, error, PROBLEM)
    assert set(answer[1]) == {"type", "title", "status", "detail", "error"}
    assert rule_of(bench) == rule


async def test_where_a_second_factor_is_due_an_app_is_told_so(app: App, bench: Workbench) -> None:
    await enrol(bench)
    own = basic("phone", bench.secrets["phone"])
    status, told, headers = await app.post("login", LOGIN, **own)
    assert (status, told["error"], headers["Content-Type"]) == (403, "mfa_required", PROBLEM)
    assert rule_of(bench) == Rule.USER_SECOND_FACTOR_DUE
    assert (await app.post("login", {**LOGIN, "password": "wrong"}, **own))[1]["error"] == "invalid_grant"


async def test_who_is_unknown_and_who_is_wrong_read_the_same(app: App, bench: Workbench) -> None:
    own = basic("phone", bench.secrets["phone"])
    answers = [await app.post("login", {**LOGIN, **change}, **own) for change in ({"username": "x"}, {"password": "x"})]
    assert answers[0][:2] == answers[1][:2]


async def test_logins_of_apps_are_limited_as_those_of_pages_are(app: App, bench: Workbench) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 2/hour}")
    own = basic("phone", bench.secrets["phone"])
    statuses = [(await app.post("login", {**LOGIN, "password": "wrong"}, **own))[0] for _ in range(3)]
    assert statuses == [400, 400, 429]
    status, told, headers = await app.post("login", LOGIN, **own)
    assert (status, told["error"], headers["Content-Type"]) == (429, "temporarily_unavailable", PROBLEM)
    assert int(headers["Retry-After"]) > 0
    assert (headers["RateLimit-Limit"], headers["RateLimit-Remaining"]) == ("2", "0")
    assert int(headers["RateLimit-Reset"]) >= int(headers["Retry-After"])


@pytest.mark.parametrize("name", ["login", "refresh"])
async def test_a_client_must_say_who_it_is(app: App, name: str) -> None:
    for headers in ({}, basic("phone", "wrong"), basic("nobody", "x")):
        status, told, got = await app.post(name, {**LOGIN, "refresh_token": "acr_x"}, **headers)
        assert (status, told["error"], got["Content-Type"]) == (401, "invalid_client", PROBLEM)
        assert got["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize(("method", "name"), [("GET", "me"), ("PATCH", "me"), ("POST", "logout")])
async def test_only_a_token_for_the_account_opens_it(app: App, bench: Workbench, method: str, name: str) -> None:
    partner = await app.post("login", LOGIN, **basic("partner", bench.secrets["partner"]))
    assert partner[0] == 403
    foreign = (await bench.issue(client="partner", scope="openid")).access
    narrow = (await app.login(scope="read"))["access_token"]
    for token, status, error in (
        (None, 401, "invalid_request"),
        ("nonsense", 401, "invalid_token"),
        (narrow, 401, "invalid_token"),
        (foreign, 403, "unauthorized_client"),
    ):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        answer = await app.send(method, name, {}, **headers)
        assert (answer[0], answer[1]["error"], answer[2]["Content-Type"]) == (status, error, PROBLEM)
        assert ("WWW-Authenticate" in answer[2]) is (status == 401)


BODIES: list[Any] = [
    pytest.param(b"", "application/json", 400, id="empty"),
    pytest.param(b"{", "application/json", 400, id="broken"),
    pytest.param(b"[1]", "application/json", 400, id="a list"),
    pytest.param(b'{"a":1,"a":2}', "application/json", 400, id="twice"),
    pytest.param(b"\xff", "application/json", 400, id="not UTF-8"),
    pytest.param(b'{"username":"\\u0000"}', "application/json", 400, id="NUL"),
    pytest.param(b"[" * 50_000, "application/json", 400, id="deep"),
    pytest.param(b'{"a":"' + b"x" * MAX_BODY_BYTES + b'"}', "application/json", 413, id="huge"),
    pytest.param(b"username=alice", "application/x-www-form-urlencoded", 400, id="a form"),
]


@pytest.mark.parametrize(("body", "content_type", "status"), BODIES)
@pytest.mark.parametrize("name", ["login", "refresh"])
async def test_a_body_that_does_not_hold_is_a_problem_document(
    app: App, name: str, body: bytes, content_type: str, status: int
) -> None:
    headers = {**basic("phone", app.bench.secrets["phone"]), "Content-Type": content_type}
    async with app.web.post(f"{AUTH}/{name}", data=body, headers=headers) as answer:
        assert (answer.status, answer.headers["Content-Type"]) == (status, PROBLEM)
        assert (await answer.json(content_type=None))["status"] == status
    assert app.bench.log.calls == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/auth/nothing", 404),
        ("POST", "/api/", 404),
        ("GET", "/admin/v1/nothing", 404),
        ("GET", "/api/v1/auth/login", 405),
        ("DELETE", "/api/v1/auth/me", 405),
        ("PROPFIND", "/api/v1/auth/me", 405),
    ],
)
async def test_what_there_is_not_is_a_problem_document(app: App, method: str, path: str, status: int) -> None:
    async with app.web.request(method, path, headers={"Accept": "text/html"}) as answer:
        told = await answer.json(content_type=None)
        assert (answer.status, answer.headers["Content-Type"], told["status"]) == (status, PROBLEM, status)
        assert told["title"] in {"Not Found", "Method Not Allowed"}
        assert ("Allow" in answer.headers) is (status == 405)


async def test_an_outage_is_a_problem_document(app: App, bench: Workbench) -> None:
    tokens, own = await app.login(), basic("phone", bench.secrets["phone"])
    bench.board.down = True
    for answer in (await app.post("login", LOGIN, **own), await app.send("GET", "me", **bearer(tokens))):
        assert (answer[0], answer[1]["error"], answer[2]["Content-Type"]) == (503, "temporarily_unavailable", PROBLEM)
        assert int(answer[2]["Retry-After"]) > 0
    bench.service.health.missing.add("policy")
    assert (await app.post("login", LOGIN, **own))[2]["Content-Type"] == PROBLEM


async def test_nothing_of_a_password_or_token_is_logged(app: App, bench: Workbench) -> None:
    tokens = await app.login()
    await app.send("GET", "me", **bearer(tokens))
    await app.post("login", {**LOGIN, "password": "not the password"}, **basic("phone", bench.secrets["phone"]))
    bench.request_log.flush()
    said = bench.lines.getvalue() + repr(bench.log.calls) + repr(bench.events)
    for secret in (PASSWORD, "not the password", tokens["access_token"], tokens["refresh_token"]):
        assert secret not in said


async def test_who_has_a_second_factor_sends_a_code_of_it(app: App, bench: Workbench) -> None:
    phone, own = await enrol(bench), basic("phone", bench.secrets["phone"])
    status, refused, _ = await app.post("login", {**LOGIN, "otp": phone.wrong_code()}, **own)
    assert (status, refused["error"]) == (400, "invalid_grant")
    status, refused, _ = await app.post("login", {**LOGIN, "password": "wrong", "otp": phone.code()}, **own)
    assert (status, refused["error"]) == (400, "invalid_grant")
    tokens = await app.login(otp=phone.code())
    assert (await app.send("GET", "me", **bearer(tokens)))[0] == 200
    await app.login(recovery_code=phone.recovery_codes[0])
