"""Config OP: what the discovery document and the key set must look like. That all of it is https: ``real_clients``."""

from typing import Any

import pytest

from tests.integration.conformance.deployment import Deployment

_LISTS = {
    "acr_values_supported",
    "claims_supported",
    "code_challenge_methods_supported",
    "display_values_supported",
    "grant_types_supported",
    "id_token_signing_alg_values_supported",
    "request_object_signing_alg_values_supported",
    "response_modes_supported",
    "response_types_supported",
    "scopes_supported",
    "subject_types_supported",
    "token_endpoint_auth_methods_supported",
    "ui_locales_supported",
    "userinfo_signing_alg_values_supported",
}
_HAS = {
    "claims_supported": {"sub", "name", "email", "email_verified", "address", "phone_number", "updated_at"},
    "code_challenge_methods_supported": {"S256"},
    "grant_types_supported": {"authorization_code", "refresh_token"},
    "id_token_signing_alg_values_supported": {"RS256"},
    "request_object_signing_alg_values_supported": {"RS256"},
    "response_modes_supported": {"query", "fragment", "form_post"},
    "response_types_supported": {"code"},
    "scopes_supported": {"openid", "profile", "email", "address", "phone", "offline_access"},
    "subject_types_supported": {"public"},
    "token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post"},
}
_BOOLEANS = {
    "authorization_response_iss_parameter_supported": True,
    "claims_parameter_supported": True,
    "request_parameter_supported": True,
    "request_uri_parameter_supported": False,
    "require_pushed_authorization_requests": False,
}
_ENDPOINTS = {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"}
# IANA's registry of authorization server metadata; of anything else the suite warns.
_REGISTERED = """
issuer authorization_endpoint token_endpoint jwks_uri registration_endpoint scopes_supported response_types_supported
response_modes_supported grant_types_supported token_endpoint_auth_methods_supported
token_endpoint_auth_signing_alg_values_supported service_documentation ui_locales_supported op_policy_uri op_tos_uri
revocation_endpoint revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported
introspection_endpoint introspection_endpoint_auth_methods_supported
introspection_endpoint_auth_signing_alg_values_supported code_challenge_methods_supported signed_metadata
device_authorization_endpoint tls_client_certificate_bound_access_tokens mtls_endpoint_aliases
nfv_token_signing_algs_supported nfv_token_encryption_algs_supported userinfo_endpoint acr_values_supported
subject_types_supported id_token_signing_alg_values_supported id_token_encryption_alg_values_supported
id_token_encryption_enc_values_supported userinfo_signing_alg_values_supported userinfo_encryption_alg_values_supported
userinfo_encryption_enc_values_supported request_object_signing_alg_values_supported
request_object_encryption_alg_values_supported request_object_encryption_enc_values_supported display_values_supported
claim_types_supported claims_supported claims_locales_supported claims_parameter_supported request_parameter_supported
request_uri_parameter_supported require_request_uri_registration require_signed_request_object
pushed_authorization_request_endpoint require_pushed_authorization_requests
introspection_signing_alg_values_supported introspection_encryption_alg_values_supported
introspection_encryption_enc_values_supported authorization_response_iss_parameter_supported check_session_iframe
frontchannel_logout_supported backchannel_logout_supported backchannel_logout_session_supported end_session_endpoint
frontchannel_logout_session_supported backchannel_token_delivery_modes_supported backchannel_authentication_endpoint
backchannel_authentication_request_signing_alg_values_supported backchannel_user_code_parameter_supported
dpop_signing_alg_values_supported authorization_signing_alg_values_supported
authorization_encryption_alg_values_supported authorization_encryption_enc_values_supported
authorization_details_types_supported prompt_values_supported status_list_aggregation_endpoint
protected_resources
"""


@pytest.fixture(scope="module")
def metadata(deployment: Deployment) -> dict[str, Any]:
    return deployment.metadata()


def test_the_document_is_where_the_issuer_says_and_names_it(deployment: Deployment, metadata: dict[str, Any]) -> None:
    answer = deployment.service.api.get("/.well-known/openid-configuration")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert metadata["issuer"] == deployment.service.api.url


def test_every_address_is_the_issuers_own(deployment: Deployment, metadata: dict[str, Any]) -> None:
    addresses = {name: value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))}
    assert addresses.keys() >= _ENDPOINTS
    assert all(value.startswith(f"{deployment.issuer}/") for value in addresses.values()), addresses


@pytest.mark.parametrize("name", sorted(_LISTS))
def test_lists_are_lists_of_text_that_say_what_is_supported(metadata: dict[str, Any], name: str) -> None:
    assert isinstance(metadata[name], list)
    assert all(isinstance(value, str) for value in metadata[name])
    assert _HAS.get(name, set()) <= set(metadata[name])
    assert "alg_values" not in name or "none" not in metadata[name]


@pytest.mark.parametrize(("name", "value"), _BOOLEANS.items(), ids=_BOOLEANS.keys())
def test_booleans_are_said(metadata: dict[str, Any], name: str, *, value: bool) -> None:
    assert metadata[name] is value


def test_nothing_is_announced_that_nobody_registered_and_no_list_is_empty(metadata: dict[str, Any]) -> None:
    assert set(metadata) - set(_REGISTERED.split()) == set()
    # RFC 8414 §3.2
    assert [name for name, value in metadata.items() if value in ([], None, "")] == []


def test_signature_algorithms_that_are_announced_have_a_published_key(deployment: Deployment) -> None:
    keys = deployment.client.jwks()
    kids = [key["kid"] for key in keys]
    assert len(set(kids)) == len(kids)
    private = {"d", "p", "q", "dp", "dq", "qi", "k"}
    assert not any(private & key.keys() for key in keys)
    assert all(key["use"] == "sig" for key in keys)
    announced = set(deployment.metadata()["id_token_signing_alg_values_supported"])
    assert announced <= {key["alg"] for key in keys}
