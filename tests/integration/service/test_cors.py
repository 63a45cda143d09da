"""Which pages may read the answers (CONTRACT "CORS"): never with credentials."""

import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.running import Service

_OWN, _REDIRECT, _FOREIGN = "https://app.example", "https://callback.example:8443", "https://evil.example"
_ALLOW = "Access-Control-Allow-Origin"


@pytest.fixture(scope="module")
def clients(service: Service) -> dict[str, Credentials]:
    operator = service.operator
    return {
        "origins": operator.client(
            "cors-origins", "client_credentials", origins=[_OWN], redirect_uris=[f"{_REDIRECT}/back"]
        ),
        "redirects": operator.client("cors-redirects", "client_credentials", redirect_uris=[f"{_REDIRECT}/back?a=b"]),
        "neither": operator.client("cors-neither", "client_credentials"),
    }


CASES = [
    pytest.param("origins", _OWN, True, id="the client's own origin"),
    pytest.param("origins", _REDIRECT, False, id="a redirect URI's, but the client has a list"),
    pytest.param("redirects", _REDIRECT, True, id="a redirect URI's"),
    pytest.param("redirects", "https://callback.example", False, id="a redirect URI's on another port"),
    pytest.param("redirects", "http://callback.example:8443", False, id="a redirect URI's by another scheme"),
    pytest.param("origins", _FOREIGN, False, id="a foreign one"),
    pytest.param("neither", _OWN, False, id="another client's"),
    pytest.param("neither", "null", False, id="null"),
    pytest.param("origins", _OWN.upper(), False, id="in other letters"),
]


@pytest.mark.parametrize(("client", "origin", "readable"), CASES)
@pytest.mark.parametrize("outcome", ["granted", "refused", "revoked"])
def test_answers_are_for_the_clients_own_origins(
    service: Service, clients: dict[str, Credentials], outcome: str, client: str, origin: str, readable: bool
) -> None:
    form = clients[client].form() | {"grant_type": "client_credentials", "token": "x"}
    if outcome == "refused":
        form["client_secret"] = "a wrong secret of the client"
    path = "/oauth/revoke" if outcome == "revoked" else "/oauth/token"
    answer = service.api.post(path, form, headers={"Origin": origin})
    assert answer.status_code == (401 if outcome == "refused" else 200)
    assert answer.headers.get(_ALLOW) == (origin if readable else None)
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert answer.headers["Vary"] == "Origin"
    exposed = answer.headers.get("Access-Control-Expose-Headers")
    assert exposed == ("WWW-Authenticate, DPoP-Nonce, X-Request-Id" if readable else None)


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/revoke"])
def test_a_preflight_needs_no_authentication(service: Service, path: str) -> None:
    asking = {"Origin": _OWN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "dpop"}
    answer = service.api.session.options(f"{service.api.url}{path}", headers=asking, timeout=30)
    assert answer.status_code == 204
    assert answer.headers[_ALLOW] == _OWN
    assert answer.headers["Access-Control-Allow-Methods"] == "POST"
    assert {"Authorization", "Content-Type", "DPoP"} <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))
    assert answer.headers["Vary"] == "Origin"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize(
    "path", ["/.well-known/jwks.json", "/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]
)
def test_public_documents_are_for_everybody(service: Service, path: str) -> None:
    answer = service.api.get(path, headers={"Origin": _FOREIGN})
    assert answer.headers[_ALLOW] == "*"
    preflight = service.api.session.options(
        f"{service.api.url}{path}", headers={"Origin": _FOREIGN, "Access-Control-Request-Method": "GET"}, timeout=30
    )
    assert (preflight.status_code, preflight.headers[_ALLOW]) == (204, "*")


def test_introspection_is_for_no_page(service: Service, clients: dict[str, Credentials]) -> None:
    token = service.api.issue(clients["origins"])["access_token"]
    answer = service.api.introspect(clients["origins"], token, headers={"Origin": _OWN})
    assert answer.json()["active"] is True
    assert _ALLOW not in answer.headers
    url = f"{service.api.url}/oauth/introspect"
    preflight = service.api.session.options(
        url, headers={"Origin": _OWN, "Access-Control-Request-Method": "POST"}, timeout=30
    )
    assert (preflight.status_code, preflight.headers.get(_ALLOW)) == (405, None)
