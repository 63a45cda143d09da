"""``acr_values`` and ``max_age``: who is asked for a second factor, and what tokens say of it."""

import html
import json
import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from authcenter.accounts.second_step import OTP_METHODS
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.event import EventKind
from authcenter.core.relying_party import RelyingParty
from authcenter.http.server import Listener
from authcenter.proofs.pkce import challenge_of
from tests.authenticator import Authenticator, enrol
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.test_second_factor import first_step, password, second, sessions
from tests.workbench import PASSWORD, Answer, Workbench, decoded

REDIRECT, VERIFIER = "https://shop.example/cb", "v" * 43
ENROLMENT, SECOND = "/account/second-factors", "/login/second-factor"


@pytest.fixture
async def tab(bench: Workbench) -> AsyncIterator[Tab]:
    await bench.client(
        "shop",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        redirect_uris=(REDIRECT,),
        first_party=True,
        relying_party=RelyingParty(id_token_signed_response_alg="ES256"),
    )
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield Tab(f"http://127.0.0.1:{listener.port}")
    await listener.runner.cleanup()


def authorize(*acr_values: str, **more: str) -> str:
    asked = {
        "client_id": "shop",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": challenge_of(VERIFIER),
        "code_challenge_method": "S256",
        **({"acr_values": " ".join(acr_values)} if acr_values else {}),
        **more,
    }
    return f"/oauth/authorize?{urlencode(asked)}"


def essential(*values: str) -> dict[str, str]:
    listed = ", ".join(f'"{value}"' for value in values)
    return {"claims": f'{{"id_token": {{"acr": {{"essential": true, "values": [{listed}]}}}}}}'}


def asked(shown: Shown) -> dict[str, str]:
    """What the client was told."""
    assert shown.location.startswith(REDIRECT), (shown.status, shown.location)
    return {name: values[0] for name, values in parse_qs(urlsplit(shown.location).query).items()}


async def tokens(bench: Workbench, shown: Shown) -> tuple[dict[str, Any], dict[str, Any]]:
    """The claims of the access token and of the ID token."""
    code = asked(shown)["code"]
    answer: Answer = await bench.ask(
        "authorization_code", client="shop", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    return answer.claims, json.loads(decoded(answer.members["id_token"].split(".")[1]))


async def test_one_factor_is_told_as_one(bench: Workbench, tab: Tab) -> None:
    shown = await tab.follow(await password(tab, authorize()))
    for claims in await tokens(bench, shown):
        assert (claims["acr"], claims["amr"]) == (ACR_ONE_FACTOR, ["pwd"])


async def test_two_factors_are_told_in_both_tokens(bench: Workbench, tab: Tab) -> None:
    app = await enrol(bench)
    shown = await tab.follow(await password(tab, authorize()))
    shown = await tab.follow(await second(tab, shown, app.code()))
    for claims in await tokens(bench, shown):
        assert (claims["acr"], claims["amr"]) == (ACR_TWO_FACTORS, ["pwd", *OTP_METHODS])


async def one_factor_with_a_younger_second(bench: Workbench, tab: Tab) -> Authenticator:
    """A session by password, of somebody who has added a second factor elsewhere since."""
    assert (await password(tab)).location == "/account"
    return await enrol(bench)


@pytest.mark.parametrize(
    "more",
    [{"acr_values": ACR_TWO_FACTORS}, essential(ACR_TWO_FACTORS), {"acr_values": f"unknown {ACR_TWO_FACTORS}"}],
    ids=["acr_values", "essential claim", "beside an unknown one"],
)
async def test_a_session_of_one_factor_steps_up_without_the_password(
    bench: Workbench, tab: Tab, more: dict[str, str]
) -> None:
    app = await one_factor_with_a_younger_second(bench, tab)
    [before] = sessions(bench)
    cookie = dict(tab.jar)
    bench.clock.advance(400)
    page = await tab.follow(await tab.get(authorize(**more)))
    assert "code-hint" in page.body
    counted = bench.counted("login_total", outcome="success")
    shown = await tab.follow(await second(tab, page, app.code()))
    assert bench.counted("login_total", outcome="success") == counted + 1
    for claims in await tokens(bench, shown):
        assert (claims["acr"], claims["amr"]) == (ACR_TWO_FACTORS, ["pwd", *OTP_METHODS])
        assert claims["auth_time"] == int(before.auth_time.timestamp()), "the password is as old as it was"
    [after] = sessions(bench)
    assert after.session_id == before.session_id
    assert EventKind.SESSION_RENEWED in bench.kinds()
    await bench.follow()
    old = Tab(tab.address, cookie)
    assert (await old.get("/account")).location.startswith("/login"), "the cookie of before is dead"


async def test_the_wrong_code_leaves_the_session_as_it_was(bench: Workbench, tab: Tab) -> None:
    app = await one_factor_with_a_younger_second(bench, tab)
    page = await tab.follow(await tab.get(authorize(ACR_TWO_FACTORS)))
    assert (await second(tab, page, app.wrong_code())).status == 401
    assert sessions(bench)[0].acr == ACR_ONE_FACTOR
    assert (await tab.get("/account")).status == 200


async def test_a_session_that_ended_meanwhile_is_not_raised(bench: Workbench, tab: Tab) -> None:
    app = await one_factor_with_a_younger_second(bench, tab)
    page = await tab.follow(await tab.get(authorize(ACR_TWO_FACTORS)))
    await bench.core.accounts.logout("alice", actor="tests")
    await bench.follow()
    answer = await second(tab, page, app.code())
    assert answer.location.startswith("/login?again=1")
    assert sessions(bench)[0].acr == ACR_ONE_FACTOR


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"acr_values": ACR_ONE_FACTOR},
        {"acr_values": f"{ACR_ONE_FACTOR} {ACR_TWO_FACTORS}"},
        {"acr_values": "unknown"},
        essential(ACR_ONE_FACTOR),
    ],
    ids=["nothing", "one", "one first", "unknown", "one, essential"],
)
async def test_where_one_factor_will_do_nobody_steps_up(bench: Workbench, tab: Tab, more: dict[str, str]) -> None:
    await one_factor_with_a_younger_second(bench, tab)
    assert "code" in asked(await tab.follow(await tab.get(authorize(**more))))


async def test_two_preferred_to_one_is_asked_of_who_has_two(bench: Workbench, tab: Tab) -> None:
    await password(tab)
    either = authorize(ACR_TWO_FACTORS, ACR_ONE_FACTOR)
    assert "code" in asked(await tab.follow(await tab.get(either)))
    await enrol(bench)
    assert (await tab.follow(await tab.get(either))).status == 200


@pytest.mark.parametrize(
    ("more", "error"),
    [({"acr_values": ACR_TWO_FACTORS}, "login_required"), (essential("gold"), "unmet_authentication_requirements")],
    ids=["two factors", "an unknown essential one"],
)
async def test_silently_nobody_steps_up(bench: Workbench, tab: Tab, more: dict[str, str], error: str) -> None:
    await one_factor_with_a_younger_second(bench, tab)
    assert asked(await tab.follow(await tab.get(authorize(prompt="none", **more))))["error"] == error


async def test_two_factors_are_told_as_one_where_the_client_insists_on_one(bench: Workbench, tab: Tab) -> None:
    app = await enrol(bench)
    await second(tab, await first_step(tab), app.code())
    shown = await tab.follow(await tab.get(authorize(**essential(ACR_ONE_FACTOR))))
    assert (await tokens(bench, shown))[1]["acr"] == ACR_ONE_FACTOR


async def test_max_age_asks_for_both_factors_again(bench: Workbench, tab: Tab) -> None:
    app = await enrol(bench)
    await second(tab, await first_step(tab), app.code())
    bench.clock.advance(120)
    limited = authorize(max_age="60")
    page = await tab.follow(await tab.get(limited))
    assert 'name="password"' in page.body
    shown = await password(tab, limited)
    assert shown.location.startswith(SECOND)
    shown = await tab.follow(await second(tab, await tab.follow(shown), app.code()))
    _, id_token = await tokens(bench, shown)
    assert id_token["auth_time"] == int(bench.clock.seconds())


async def test_max_age_and_step_up_do_not_count_an_old_password_as_new(bench: Workbench, tab: Tab) -> None:
    app = await one_factor_with_a_younger_second(bench, tab)
    bench.clock.advance(120)
    page = await tab.follow(await tab.get(authorize(ACR_TWO_FACTORS, max_age="60")))
    assert 'name="password"' in page.body
    ticket = page.fields["ticket"]
    # By hand to the second step: the session is proof enough for that, not for max_age.
    page = await tab.get(f"{SECOND}?ticket={ticket}")
    shown = await tab.follow(await second(tab, page, app.code()))
    assert 'name="password"' in shown.body


async def test_who_has_none_adds_one_and_goes_on(bench: Workbench, tab: Tab) -> None:
    await password(tab)
    bench.clock.advance(400)
    page = await tab.follow(await tab.get(authorize(ACR_TWO_FACTORS)))
    assert 'name="password"' in page.body, "adding one takes a sign-in of late"
    page = await tab.follow(await tab.post("/login", {**page.fields, "username": "alice", "password": PASSWORD}))
    assert "asks for a sign-in with a second factor" in page.body
    page = await tab.follow(await tab.post(ENROLMENT, {**page.fields, "act": "begin"}))
    begun = await bench.core.second_factors.begun(bench.alice)
    assert begun is not None
    code = Authenticator(bench, begun.secret).code()
    page = await tab.post(ENROLMENT, {**page.fields, "act": "confirm", "code": code})
    on = html.unescape(re.findall(r'class="button" href="([^"]+)"', page.body)[0])
    for claims in await tokens(bench, await tab.follow(await tab.get(on))):
        assert (claims["acr"], claims["amr"]) == (ACR_TWO_FACTORS, ["pwd", *OTP_METHODS])


async def test_cancelling_the_enrolment_tells_the_client(bench: Workbench, tab: Tab) -> None:
    page = await tab.follow(await password(tab, authorize(ACR_TWO_FACTORS)))
    assert "asks for a sign-in with a second factor" in page.body
    shown = await tab.follow(await tab.post(ENROLMENT, {**page.fields, "act": "cancel"}))
    assert asked(shown)["error"] == "access_denied"


async def test_what_is_wrong_with_a_new_passkey_is_said_in_the_language_of_the_client(
    bench: Workbench, tab: Tab
) -> None:
    shown = await tab.follow(await password(tab, authorize(ACR_TWO_FACTORS, ui_locales="de")))
    page = await tab.get(f"/account/passkeys?ticket={shown.fields['ticket']}", Accept_Language="en")
    assert '<html lang="de"' in page.body
    sent = {**page.fields, "act": "add", "credential": "none"}
    wrong = await tab.post("/account/passkeys", sent, Accept_Language="en")
    assert wrong.status == 401
    assert "Ihr Browser hat keinen Passkey gesendet." in wrong.body
