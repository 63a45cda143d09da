"""Introspection (RFC 7662): who may ask, what they learn, and the signed form (RFC 9701)."""

import jwt
import pytest

from tests.integration.service.api import Credentials
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, log_line

_RESOURCE = "https://stock.example"
_SIGNED = "application/token-introspection+jwt"


@pytest.fixture(scope="module")
def callers(service: Service) -> dict[str, Credentials]:
    operator = service.operator
    return {
        "own": operator.client("stock-shop", "client_credentials", audiences=[_RESOURCE], scopes=["read"]),
        "serving": operator.client("stock-api", serves=[_RESOURCE]),
        "neither": operator.client("stock-stranger", "client_credentials"),
        "same audience": operator.client("stock-peer", "client_credentials", audiences=[_RESOURCE]),
        "public": operator.client("stock-page", public=True, serves=[_RESOURCE]),
    }


@pytest.mark.parametrize(
    ("caller", "rule"),
    [
        pytest.param("own", None, id="the client it was issued to"),
        pytest.param("serving", None, id="the resource it is for"),
        pytest.param("neither", "caller_not_entitled", id="a stranger"),
        pytest.param("same audience", "caller_not_entitled", id="who may ask for the audience, but does not serve it"),
        pytest.param("public", "caller_not_entitled", id="a public client"),
    ],
)
def test_only_entitled_callers_read_a_token(
    service: Service, callers: dict[str, Credentials], caller: str, rule: str | None
) -> None:
    token = service.api.issue(callers["own"])["access_token"]
    answer = service.api.introspect(callers[caller], token)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    if rule is None:
        assert answer.json()["active"] is True
        assert answer.json()["scope"] == "read"
    else:
        assert answer.json() == {"active": False}
        assert log_line(service, answer.headers["X-Request-Id"])["rule"] == rule


def test_a_refresh_token_is_read_by_its_own_client_only(service: Service) -> None:
    own = service.operator.client("rt-own", "password", "refresh_token", audiences=["https://rt.example"])
    serving = service.operator.client("rt-api", serves=["https://rt.example"])
    service.operator.user("rt-user")
    tokens = service.api.issue(own, "password", username="rt-user", password=PASSWORD)
    told = service.api.claims(own, tokens["refresh_token"])
    assert told["active"] is True
    assert told["client_id"] == "rt-own"
    assert service.api.claims(serving, tokens["refresh_token"]) == {"active": False}
    assert service.api.active(serving, tokens["access_token"])


@pytest.mark.parametrize("caller", ["own", "serving", "neither"])
def test_the_signed_answer_verifies_and_is_for_the_caller_alone(
    service: Service, callers: dict[str, Credentials], caller: str
) -> None:
    token = service.api.issue(callers["own"])["access_token"]
    answer = service.api.introspect(callers[caller], token, headers={"Accept": _SIGNED})
    assert answer.headers["Content-Type"] == _SIGNED
    assert jwt.get_unverified_header(answer.text)["typ"] == "token-introspection+jwt"
    claims = service.api.decoded(answer.text, audience=callers[caller].client_id)
    assert "sub" not in claims
    assert "exp" not in claims
    plain = service.api.claims(callers[caller], token)
    assert claims["token_introspection"] == plain
    assert service.api.claims(callers["own"], answer.text) == {"active": False}, "it passes for no access token"


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("not a token", id="no token at all"),
        pytest.param("a.b.c", id="three parts"),
        pytest.param("acr_" + "x" * 22 + "." + "y" * 43, id="never issued"),
        pytest.param("é" * 500, id="not ASCII"),
        pytest.param("eyJhbGciOiJub25lIn0.e30.", id="alg none"),
    ],
)
def test_what_is_no_token_is_inactive(service: Service, callers: dict[str, Credentials], token: str) -> None:
    answer = service.api.introspect(callers["own"], token)
    if not token:
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
    else:
        assert answer.json() == {"active": False}
