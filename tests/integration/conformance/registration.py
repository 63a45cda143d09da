"""Clients that register themselves as the suite's do (RFC 7591), and leave again (RFC 7592)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from tests.integration.conformance.deployment import CALLBACK, Deployment
from tests.integration.conformance.relying_party import RelyingParty

_HANG_SECONDS = 90
# The example of RFC 7517, appendix A.1.
_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "sig",
    "kid": "suite",
}


@contextmanager
def registered(deployment: Deployment, *, by_post: bool = False, **changes: Any) -> Iterator[RelyingParty]:
    """A client while the block runs: what registration answers is checked, and so is that it can be taken back."""
    asked = {
        "client_name": "suite",
        "grant_types": ["authorization_code", "refresh_token"],
        "jwks": {"keys": [_KEY]},
        "token_endpoint_auth_method": "client_secret_post" if by_post else "client_secret_basic",
        "response_types": ["code"],
        "redirect_uris": [CALLBACK],
        "contacts": ["certification@suite.example"],
        **changes,
    }
    endpoint = deployment.metadata()["registration_endpoint"]
    answer = requests.post(endpoint, json=asked, timeout=_HANG_SECONDS)
    assert answer.status_code == 201, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json()
    assert "error" not in told
    assert {name: told[name] for name in asked} == asked
    assert told["client_secret_expires_at"] == 0
    assert told["registration_client_uri"].startswith(f"{deployment.issuer}/")
    deployment.service.api.secrets |= {told["client_secret"], told["registration_access_token"]}
    party = RelyingParty(
        deployment.issuer,
        told["client_id"],
        told["client_secret"],
        CALLBACK,
        post_secret=by_post,
        secrets=deployment.service.api.secrets,
    )
    yield party

    bearer = {"Authorization": f"Bearer {told['registration_access_token']}"}
    gone = requests.delete(told["registration_client_uri"], headers=bearer, timeout=_HANG_SECONDS)
    assert (gone.status_code, gone.content) == (204, b"")
