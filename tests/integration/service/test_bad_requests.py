"""Requests that must be refused: the RFC's code, one wording, the rule in the log, and nothing stored or spent."""

from base64 import b64encode
from typing import Any

import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, log_line

# What a refused sign-in and a token leave in the log is written a moment later.
_TABLES = (
    "token_families",
    "refresh_tokens",
    "revoked_tokens",
    "revocation_cuts",
    "auth_audit WHERE event NOT IN ('sign_in.refused', 'token.issued', 'code.issued')",
)
_FORM = "application/x-www-form-urlencoded"
_CC = "grant_type=client_credentials"


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    service.operator.user("bad-user")
    service.operator.client("bad-page", "password", "refresh_token", public=True)
    grants = ("client_credentials", "password", "refresh_token")
    return service.operator.client("bad", *grants, scopes=["read"], audiences=["https://bad.example"])


@pytest.fixture(scope="module")
def refresh_token(service: Service, client: Credentials) -> str:
    return str(service.api.issue(client, "password", username="bad-user", password=PASSWORD)["refresh_token"])


def basic(text: str) -> dict[str, str]:
    return {"Authorization": f"Basic {b64encode(text.encode()).decode()}"}


# Body (SECRET, REFRESH: this client's), headers, status, error, rule
REQUESTS = [
    pytest.param("{}", {"Content-Type": "application/json"}, 400, "invalid_request", "content_type", id="JSON"),
    pytest.param("x", {"Content-Type": ""}, 400, "invalid_request", "content_type", id="no content type"),
    pytest.param("--x--", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "invalid_request",
                 "content_type", id="multipart"),
    pytest.param("a=" + "x" * (64 * 1024 - 1), {}, 413, "invalid_request", "body_too_large", id="64 KiB and one byte"),
    pytest.param("a=" + "x" * (64 * 1024 - 2), {}, 401, "invalid_client", "credentials_missing", id="64 KiB"),
    pytest.param("&".join(f"p{n}=1" for n in range(65)), {}, 400, "invalid_request", "form_malformed",
                 id="65 parameters"),
    pytest.param(f"{_CC}&a=%zz", {}, 400, "invalid_request", "form_malformed", id="broken escape"),
    pytest.param(f"{_CC}&a=%ff", {}, 400, "invalid_request", "form_malformed", id="not UTF-8"),
    pytest.param(f"{_CC}&a=%00", {}, 400, "invalid_request", "form_malformed", id="NUL"),
    pytest.param(f"{_CC}&grant_type=password&client_id=bad&client_secret=SECRET", {}, 400, "invalid_request",
                 "parameter_repeated", id="repeated grant_type"),
    pytest.param(f"{_CC}&client_id=bad&client_secret=SECRET&client_secret=SECRET", {}, 400, "invalid_request",
                 "parameter_repeated", id="repeated secret"),
    pytest.param(f"{_CC}&scope=read&scope=read&client_id=bad&client_secret=SECRET", {}, 400, "invalid_request",
                 "parameter_repeated", id="repeated scope"),
    pytest.param("client_id=bad&client_secret=SECRET", {}, 400, "invalid_request", "parameter_missing",
                 id="no grant_type"),
    pytest.param("", {}, 401, "invalid_client", "credentials_missing", id="empty body"),
    pytest.param(_CC, {}, 401, "invalid_client", "credentials_missing", id="no client"),
    pytest.param(_CC, {"Authorization": "Basic !!!"}, 401, "invalid_client", "credentials_malformed",
                 id="not base64"),
    pytest.param(_CC, {"Authorization": "Basic"}, 401, "invalid_client", "credentials_malformed", id="empty Basic"),
    pytest.param(_CC, basic("no colon"), 401, "invalid_client", "credentials_malformed", id="no colon"),
    pytest.param(_CC, basic("%zz:x"), 401, "invalid_client", "credentials_malformed", id="Basic, broken escape"),
    pytest.param(_CC, {"Authorization": "Bearer x"}, 401, "invalid_client", "credentials_malformed", id="Bearer"),
    pytest.param(_CC, basic("bad:a wrong secret of the client"), 401, "invalid_client", "client_secret_wrong",
                 id="wrong secret"),
    pytest.param(_CC, basic("nobody:a wrong secret of nobody"), 401, "invalid_client", "client_unknown",
                 id="unknown client"),
    pytest.param(f"{_CC}&client_id=bad&client_secret=SECRET", basic("bad:x"), 400, "invalid_request",
                 "credentials_several", id="two methods"),
    pytest.param(f"{_CC}&client_id=other", basic("bad:x"), 400, "invalid_request", "credentials_several",
                 id="two ids"),
    pytest.param(f"{_CC}&client_id=bad", {}, 401, "invalid_client", "client_method", id="no secret at all"),
    pytest.param(f"{_CC}&client_id=bad-page", {}, 400, "unauthorized_client", "grant_not_allowed",
                 id="public client's own token"),
    pytest.param("grant_type=implicit&client_id=bad&client_secret=SECRET", {}, 400, "unsupported_grant_type",
                 "grant_type_unknown", id="unknown grant"),
    pytest.param(f"{_CC}&scope=admin&client_id=bad&client_secret=SECRET", {}, 400, "invalid_scope",
                 "scope_not_allowed", id="foreign scope"),
    pytest.param(f"{_CC}&scope=%0d%0aX-Evil:1&client_id=bad&client_secret=SECRET", {}, 400, "invalid_scope",
                 "scope_malformed", id="line break in scope"),
    pytest.param(f"{_CC}&resource=https://evil.example&client_id=bad&client_secret=SECRET", {}, 400, "invalid_target",
                 "resource_not_allowed", id="foreign resource"),
    pytest.param(f"{_CC}&resource=a&resource=b&client_id=bad&client_secret=SECRET", {}, 400, "invalid_target",
                 "resource_several", id="two resources"),
    pytest.param("grant_type=password&username=bad-user&password=a+wrong+password&client_id=bad&client_secret=SECRET",
                 {}, 400, "invalid_grant", "user_password_wrong", id="wrong password"),
    pytest.param("grant_type=password&username=nobody&password=a+wrong+password&client_id=bad&client_secret=SECRET",
                 {}, 400, "invalid_grant", "user_unknown", id="unknown user"),
    pytest.param("grant_type=refresh_token&refresh_token=REFRESH&client_id=bad-page", {}, 400, "invalid_grant",
                 "refresh_foreign", id="another client's refresh token"),
    pytest.param("grant_type=refresh_token&refresh_token=REFRESH&scope=write&client_id=bad&client_secret=SECRET", {},
                 400, "invalid_scope", "scope_exceeds_grant", id="refresh to more scope"),
    pytest.param("grant_type=refresh_token&refresh_token=REFRESHx&client_id=bad&client_secret=SECRET", {}, 400,
                 "invalid_grant", "refresh_malformed", id="refresh token and one character"),
]  # fmt: skip


@pytest.mark.parametrize(("body", "headers", "status", "error", "rule"), REQUESTS)
def test_a_bad_token_request_is_refused_and_explained(
    service: Service,
    client: Credentials,
    refresh_token: str,
    body: str,
    headers: dict[str, str],
    status: int,
    error: str,
    rule: str,
) -> None:
    before = rows(service)
    answer = post(service, "/oauth/token", filled(body, client, refresh_token), headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert "X-Evil" not in answer.headers
    line = log_line(service, answer.headers["X-Request-Id"])
    assert (line["rule"], line["status"]) == (rule, status)
    assert line["hint"]
    assert rows(service) == before
    assert service.api.active(client, refresh_token), "it is unspent"


@pytest.mark.parametrize("path", ["/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize(
    ("body", "headers", "status", "error"),
    [
        pytest.param("{}", {"Content-Type": "application/json"}, 400, "invalid_request", id="JSON"),
        pytest.param("token=a&token=b", {}, 400, "invalid_request", id="repeated token"),
        pytest.param("token=REFRESH", {}, 401, "invalid_client", id="no client"),
        pytest.param("token=REFRESH", basic("bad:a wrong secret of the client"), 401, "invalid_client", id="secret"),
        pytest.param("client_id=bad&client_secret=SECRET", {}, 400, "invalid_request", id="no token"),
        pytest.param("token=REFRESH&client_id=bad&client_secret=SECRET", basic("bad:x"), 400, "invalid_request",
                     id="two methods"),
        pytest.param("a=" + "x" * 70_000, {}, 413, "invalid_request", id="too large"),
    ],
)  # fmt: skip
def test_the_other_endpoints_refuse_alike(
    service: Service,
    client: Credentials,
    refresh_token: str,
    path: str,
    body: str,
    headers: dict[str, str],
    status: int,
    error: str,
) -> None:
    before = rows(service)
    answer = post(service, path, filled(body, client, refresh_token), headers)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.headers["Cache-Control"] == "no-store"
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    assert rows(service) == before
    assert service.api.active(client, refresh_token)


def test_strangers_cannot_tell_why_they_are_refused(service: Service, client: Credentials) -> None:
    clients = [Credentials("bad", "a wrong secret of the client"), Credentials("nobody", "a wrong secret of nobody")]
    assert len({service.api.ask(one).content for one in clients}) == 1
    logins = [
        service.api.ask(client, "password", username=username, password="a wrong password").content
        for username in ("bad-user", "nobody")
    ]
    assert len(set(logins)) == 1


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "TRACE"])
def test_a_wrong_method_names_the_right_ones(service: Service, path: str, method: str) -> None:
    answer = service.api.session.request(method, f"{service.api.url}{path}", timeout=30)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    if method != "HEAD":
        assert answer.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("path", ["/", "/oauth", "/oauth/token/", "/nothing", "/oauth/%2e%2e/token", "/metrics"])
def test_what_is_not_there_is_404_in_json(service: Service, path: str) -> None:
    for answer in (service.api.get(path), service.api.post(path, {"a": "b"})):
        assert (answer.status_code, answer.json()["error"]) == (404, "not_found")
        assert answer.headers["X-Request-Id"]


def test_secrets_are_form_decoded_and_a_foreign_request_id_is_not_taken(service: Service, client: Credentials) -> None:
    encoded = "".join(f"%{byte:02X}" for byte in str(client.secret).encode())
    headers = basic(f"b%61d:{encoded}") | {"X-Request-Id": "mine", "X-Forwarded-For": "203.0.113.9"}
    answer = post(service, "/oauth/token", _CC, headers)
    assert answer.status_code == 200
    assert answer.headers["X-Request-Id"] != "mine"
    line = log_line(service, answer.headers["X-Request-Id"])
    assert line["ip"] == "127.0.0.1"
    assert "caller_request_id" not in line


def post(service: Service, path: str, body: str, headers: dict[str, str]) -> Any:
    wanted = {"Content-Type": _FORM, **headers}
    return service.api.post(path, body.encode(), headers={name: value or None for name, value in wanted.items()})


def filled(body: str, client: Credentials, refresh_token: str) -> str:
    return body.replace("SECRET", str(client.secret)).replace("REFRESH", refresh_token)


def rows(service: Service) -> list[int]:
    return [service.operator.rows(f"SELECT count(*) FROM {table}")[0][0] for table in _TABLES]
