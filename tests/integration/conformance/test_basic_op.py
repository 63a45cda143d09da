"""Basic OP and Form Post OP: one row for each module of the Foundation's suite, named as there."""

from dataclasses import replace

import pytest

from tests.integration.conformance import basic_modules as basic
from tests.integration.conformance.browser import Browser
from tests.integration.conformance.deployment import Deployment
from tests.integration.conformance.flow import Flow
from tests.integration.conformance.registration import registered

pytestmark = pytest.mark.long

_BASIC: dict[str, basic.Module] = {
    "oidcc-server": basic.server,
    "oidcc-response-type-missing": basic.response_type_missing,
    "oidcc-idtoken-signature": basic.idtoken_signature,
    "oidcc-idtoken-unsigned": basic.idtoken_unsigned,
    "oidcc-userinfo-get": basic.userinfo_get,
    "oidcc-userinfo-post-header": basic.userinfo_post_header,
    "oidcc-userinfo-post-body": basic.userinfo_post_body,
    "oidcc-ensure-request-without-nonce-succeeds-for-code-flow": basic.without_nonce,
    "oidcc-scope-profile": basic.scope("profile", basic.OF_PROFILE),
    "oidcc-scope-email": basic.scope("email", basic.OF_EMAIL),
    "oidcc-scope-address": basic.scope("address", {"address"}),
    "oidcc-scope-phone": basic.scope("phone", basic.OF_PHONE),
    "oidcc-scope-all": basic.scope("profile email address phone", basic.EVERYTHING),
    "oidcc-alternate-happy-flow": basic.alternate_happy_flow,
    "oidcc-display-page": basic.accepts(display="page"),
    "oidcc-display-popup": basic.accepts(display="popup"),
    "oidcc-prompt-login": basic.prompt_login,
    "oidcc-prompt-none-not-logged-in": basic.prompt_none_not_logged_in,
    "oidcc-prompt-none-logged-in": basic.prompt_none_logged_in,
    "oidcc-max-age-1": basic.max_age_1,
    "oidcc-max-age-10000": basic.max_age_10000,
    "oidcc-ensure-request-with-unknown-parameter-succeeds": basic.accepts(extra="foobar"),
    "oidcc-id-token-hint": basic.id_token_hint,
    "oidcc-login-hint": basic.login_hint,
    "oidcc-ui-locales": basic.accepts(ui_locales="se"),
    "oidcc-claims-locales": basic.accepts(claims_locales="se"),
    "oidcc-ensure-request-with-acr-values-succeeds": basic.acr_values,
    "oidcc-codereuse": basic.code_reuse,
    "oidcc-codereuse-30seconds": basic.code_reuse_30_seconds,
    "codereuse-after-its-lifetime": basic.code_reuse_after_its_lifetime,
    "code-too-old": basic.code_too_old,
    "oidcc-ensure-registered-redirect-uri": basic.ensure_registered_redirect_uri,
    "oidcc-ensure-post-request-succeeds": basic.ensure_post_request_succeeds,
    "oidcc-server-client-secret-post": basic.server_client_secret_post,
    "oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported": basic.request_uri_unsigned,
    "oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported": basic.unsigned_request_object,
    "oidcc-claims-essential": basic.claims_essential,
    "oidcc-ensure-request-object-with-redirect-uri": basic.request_object_with_redirect_uri,
    "oidcc-refresh-token": basic.refresh_token,
    "oidcc-ensure-request-with-valid-pkce-succeeds": basic.pkce,
}


@pytest.mark.parametrize("module", _BASIC.values(), ids=_BASIC.keys())
def test_basic_op(dynamic_flow: Flow, module: basic.Module) -> None:
    """With clients that registered themselves: the variant ``dynamic_client``."""
    module(dynamic_flow)


@pytest.mark.parametrize("module", _BASIC.values(), ids=_BASIC.keys())
def test_form_post_op(flow: Flow, module: basic.Module) -> None:
    """Everything again by ``form_post``, errors too, with clients that an operator made: ``static_client``."""
    module(flow.by(replace(flow.client, defaults={"response_mode": "form_post"})))


def test_a_client_may_register_for_client_secret_post(deployment: Deployment, browser: Browser) -> None:
    with registered(deployment, by_post=True) as client:
        Flow(deployment, client, deployment.person(browser)).sign_in()
