"""The admin API of a running service, asked as by curl, on each database."""

import secrets
from typing import Any

import pytest
import requests

from authcenter.core import base64url
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service
from tests.unit.http.described import check_described

API = "https://orders.example"


class Curl:
    """Requests with an operator's token."""

    def __init__(self, service: Service) -> None:
        self.service = service
        audience = f"{service.api.issuer}/admin"
        name = f"backoffice-{secrets.token_hex(4)}"
        self.client = service.operator.client(
            name, "client_credentials", scopes=["authcenter:admin"], audiences=[audience]
        )
        self.token = service.api.issue(self.client, scope="authcenter:admin")["access_token"]

    def __call__(self, method: str, path: str, document: Any = None, **query: str) -> requests.Response:
        place = f"/admin/v1{path}"
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = requests.request(
            method, f"{self.service.api.url}{place}", params=query, json=document, headers=headers, timeout=60
        )
        body = answer.json() if answer.content else None
        check_described(method, place, answer.status_code, answer.headers.get("Content-Type", ""), body)
        self.service.api.secrets |= {body["client_secret"]} if body and "client_secret" in body else set()
        return answer


@pytest.fixture
def curl(either: Service) -> Curl:
    return Curl(either)


def test_from_a_client_that_is_made_to_its_tokens_that_are_counted_and_refused(curl: Curl, either: Service) -> None:
    shop = f"shop-{secrets.token_hex(4)}"
    document = {"client_id": shop, "grants": ["client_credentials"], "audiences": [API], "serves": [API]}
    made = curl("POST", "/clients", document)
    assert made.status_code == 201
    credentials = Credentials(shop, made.json()["client_secret"])
    first, second = (either.api.issue(credentials)["access_token"] for _ in range(2))
    # The rows of issuance are written together, a moment after the answer.
    until(lambda: curl("GET", "/tokens/blast-radius", client=shop).json()["tokens"] == 2, "both tokens counted")

    jti = either.api.claims(credentials, first)["jti"]
    (row,) = curl("GET", "/audit", jti=jti).json()["items"]
    assert (row["event"], row["client_id"]) == ("token.issued", shop)
    told = either.process.cli_json("tokens", "revoke", "--jti", jti, "--reason", "seen in a log", "--json")
    assert (told["revoked"], told["value"], told["expired_already"]) == ("token", jti, False)
    until(lambda: not either.api.active(credentials, first), "the token is refused")
    assert either.api.active(credentials, second)
    until(lambda: curl("GET", "/tokens/blast-radius", client=shop).json()["tokens"] == 1, "one token left")

    revoked = curl("POST", "/tokens/revoke", {"client": shop, "reason": "break-in"})
    assert (revoked.status_code, revoked.json()["by"]) == (200, "client")
    assert not either.api.active(credentials, second)
    actors = {one["actor"] for one in curl("GET", "/audit", event="tokens.cut").json()["items"]}
    assert curl.client.client_id in actors


def test_a_client_is_changed_disabled_and_removed(curl: Curl, either: Service) -> None:
    shop = f"shop-{secrets.token_hex(4)}"
    curl("POST", "/clients", {"client_id": shop, "grants": ["client_credentials"], "audiences": [API]})
    assert curl("PATCH", f"/clients/{shop}", {"name": "Ärger & Söhne"}).json()["name"] == "Ärger & Söhne"
    renewed = curl("POST", f"/clients/{shop}/rotate-secret", {"end_old": True})
    credentials = Credentials(shop, renewed.json()["client_secret"])
    assert either.api.issue(credentials)
    assert curl("POST", f"/clients/{shop}/disable").json()["disabled"] is True
    assert either.api.ask(credentials).status_code in {400, 401}
    assert [one["client_id"] for one in curl("GET", "/clients", q=shop).json()["items"]] == [shop]
    assert curl("DELETE", f"/clients/{shop}").status_code == 204
    assert curl("GET", f"/clients/{shop}").status_code == 404


def test_a_refused_request_is_explained_from_its_id_alone(curl: Curl, either: Service) -> None:
    refused = either.api.ask(Credentials(curl.client.client_id, "not-the-secret-of-it"))
    request_id = refused.headers["X-Request-Id"]
    until(lambda: curl("GET", f"/explain/{request_id}").status_code == 200, "the request is known")
    story = curl("GET", f"/explain/{request_id}").json()
    assert (story["granted"], story["rule"]) == (False, "client_secret_wrong")
    assert request_id in {
        one["request_id"] for one in curl("GET", "/explain", client=curl.client.client_id).json()["items"]
    }


def test_keys_policy_and_the_proof_of_the_log_are_told(curl: Curl) -> None:
    assert {key["state"] for key in curl("GET", "/keys").json()["items"]} >= {"current"}
    assert curl("GET", "/keys/plan").status_code == 200
    version = curl("GET", "/policy").json()["version"]
    checked = curl("POST", "/policy/check", {"document": "tokens: {access_ttl: 61}"}).json()
    assert (checked["changes"], checked["replaces"]) == (True, version)
    assert curl("POST", "/policy/push", {"document": "tokens: {access_ttl: 61}"}).status_code == 409
    assert curl("POST", "/audit/verify").json()["holds"] is True


def test_without_a_token_everything_is_refused(either: Service) -> None:
    for path in ("/admin/v1/clients", "/admin/v1/audit", "/admin/v1/keys"):
        assert either.api.get(path).status_code == 401


def test_pages_of_the_log_follow_each_other_and_made_up_ones_break_nothing(curl: Curl) -> None:
    name = f"paged-{secrets.token_hex(4)}"
    for number in range(3):
        curl("POST", "/clients", {"client_id": f"{name}-{number}"})
    seen, cursor = list[str](), ""
    while len(seen) < 3:
        found = curl(
            "GET", "/audit", event="client.created", limit="1", **({"cursor": cursor} if cursor else {})
        ).json()
        seen += [row["client_id"] for row in found["items"] if row["client_id"].startswith(name)]
        cursor = found["next_cursor"]
    assert seen == [f"{name}-2", f"{name}-1", f"{name}-0"]
    made_up = base64url.encode("\U0001f419|x|999999999999999999".encode())
    assert curl("GET", "/audit", cursor=made_up).status_code == 200
    for instant in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
        for path in ("/audit", "/explain"):
            assert curl("GET", path, since=instant, until=instant).status_code == 200
