"""The JWK set (RFC 7517) and both discovery documents (RFC 8414, OpenID Connect Discovery)."""

import pytest
import requests

from tests.integration.service.running import Service, policy

_JWKS = "/.well-known/jwks.json"
_DOCUMENTS = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")
_PUBLIC = (_JWKS, *_DOCUMENTS)

_WITHOUT_PARAMETERS = {
    "jwks_uri": 200,
    "authorization_endpoint": 400,
    "userinfo_endpoint": 401,
    "end_session_endpoint": 200,
}
"""What a bare GET of an endpoint is answered with; the others take no GET."""


@pytest.mark.parametrize("path", _PUBLIC)
def test_who_has_it_already_is_told_so(service: Service, path: str) -> None:
    answer = service.api.get(path)
    etag = answer.headers["ETag"]
    assert answer.headers["Cache-Control"] == "public, max-age=600"
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        again = service.api.get(path, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
        assert again.headers["Cache-Control"] == "public, max-age=600"
    assert service.api.get(path, headers={"If-None-Match": '"other"'}).content == answer.content


@pytest.mark.parametrize("path", _PUBLIC)
def test_head_answers_like_get_without_a_body(service: Service, path: str) -> None:
    head = requests.head(f"{service.api.url}{path}", timeout=30)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == service.api.get(path).headers["ETag"]


def test_caching_follows_the_policy(service: Service) -> None:
    with policy(service, "jwks: {max_age: 60}"):
        assert {service.api.get(path).headers["Cache-Control"] for path in _PUBLIC} == {"public, max-age=60"}


def test_everything_announced_is_there_and_comes_from_the_issuer(service: Service) -> None:
    one, two = (service.api.get(path, headers={"Host": "evil.example"}).json() for path in _DOCUMENTS)
    assert one == two
    issuer = service.process.environment["AUTHCENTER_ISSUER"]
    assert one["issuer"] == issuer
    endpoints = {name: url for name, url in one.items() if name.endswith("_endpoint") or name == "jwks_uri"}
    assert all(url.startswith(f"{issuer}/") for url in endpoints.values())
    for name, url in endpoints.items():
        status = requests.get(url, timeout=30).status_code
        assert status == _WITHOUT_PARAMETERS.get(name, 405), name
    assert set(one["grant_types_supported"]) == {
        "authorization_code",
        "client_credentials",
        "password",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code",
    }
    assert one["response_types_supported"] == ["code"]
    assert "RS256" in one["id_token_signing_alg_values_supported"]


def test_the_key_set_holds_public_keys_only(service: Service) -> None:
    answer = service.api.get(_JWKS)
    assert answer.headers["Content-Type"] == "application/jwk-set+json"
    keys = answer.json()["keys"]
    assert {key["alg"] for key in keys} == {"ES256", "RS256", "PS256", "EdDSA"}
    assert all(key["use"] == "sig" and key["kid"] for key in keys)
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k"} & key.keys() for key in keys)
