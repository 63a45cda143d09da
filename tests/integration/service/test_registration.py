"""A client that registers itself at a running service, on each database."""

import json
from typing import Any

import requests

from tests.integration.service.running import Service, policy

_POLICY = "registration: {mode: open, grants: [authorization_code, refresh_token, client_credentials]}"
_METADATA = {
    "redirect_uris": ["https://app.example/cb"],
    "grant_types": ["authorization_code", "client_credentials"],
    "client_name": "Größe 🦊",
    "client_name#de": "Anwendung",
    "jwks": {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]},
    "default_max_age": 60,
    "contacts": ["ops@app.example"],
}


def test_from_registering_to_being_removed(either: Service) -> None:
    url = f"{either.api.url}/oauth/register"
    with policy(either, _POLICY):
        told: dict[str, Any] = _asked("POST", url, 201, json=_METADATA)
        assert {name: told[name] for name in _METADATA} == _METADATA
        own = url + "/" + told["client_id"]
        bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
        assert told["registration_client_uri"].endswith(f"/oauth/register/{told['client_id']}")

        form = {"grant_type": "client_credentials"}
        credentials = (told["client_id"], told["client_secret"])
        token = requests.post(f"{either.api.url}/oauth/token", data=form, auth=credentials, timeout=30).json()
        assert token["token_type"] == "Bearer"

        shown = _asked("GET", own, 200, headers=bearer)
        assert {**shown, **told} == told
        changed = {"client_id": told["client_id"], **_METADATA, "contacts": []}
        assert "contacts" not in _asked("PUT", own, 200, json=changed, headers=bearer)
        assert _asked("GET", own, 401)["error"] == "invalid_request"
        assert _asked("DELETE", own, 204, headers=bearer) is None
        assert _asked("GET", own, 401, headers=bearer)["error"] == "invalid_token"

    log = either.process.log.read_text() + str(either.operator.rows("SELECT * FROM clients"))
    for name in ("client_secret", "registration_access_token"):
        assert told[name] not in log
    assert _asked("POST", url, 404, json=_METADATA)["error"] == "not_found"


def _asked(method: str, url: str, status: int, **options: Any) -> Any:
    answer = requests.request(method, url, timeout=30, **options)
    assert answer.status_code == status, answer.text
    return json.loads(answer.text) if answer.text else None
