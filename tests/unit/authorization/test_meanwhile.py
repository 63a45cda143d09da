"""What changes between two steps of one sign-in: the client, the person, the session."""

from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from msgspec import structs

from authcenter.clients.entitlements import ClientMetadata
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.digest import Digest
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.core.user import User
from authcenter.http.pages.browser import new_session_cookie
from tests.unit.authorization.test_authorize import (
    BROWSER,
    GOOD,
    REDIRECT,
    SESSION,
    VERIFIER,
    Outcome,
    Visitor,
    shop,
    visitor,
)
from tests.unit.http.browsing import Shown
from tests.workbench import API, ORIGIN, OTHER_API, refused

__all__ = ["shop", "visitor"]


async def bob(visitor: Visitor) -> User:
    """Another person signs in with the same browser, in another window."""
    user = await visitor.bench.core.accounts.create("bob", "bob@example.com", Secret("a good password"), actor="tests")
    cookie, digest = new_session_cookie()
    await visitor.sessions.sign_in(user, Digest(digest), ORIGIN, amr=["pwd"])
    visitor.jar[SESSION] = cookie
    return user


async def page(visitor: Visitor, path: str) -> Outcome:
    return await visitor._go("GET", f"{path}?ticket={visitor.sealed}")


async def send(visitor: Visitor, path: str, shown: Outcome, **answers: str) -> Outcome:
    fields = Shown(shown.status, shown.headers, shown.body).fields
    return await visitor._go("POST", path, data={**fields, **answers})


async def change(visitor: Visitor, **changes: Any) -> None:
    def changed(old: ClientMetadata) -> ClientMetadata:
        return replace(old, **changes)

    await visitor.bench.core.clients.update("shop", changed, "tests")
    await visitor.bench.follow()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        pytest.param({"scopes": frozenset({"openid"})}, "invalid_scope", id="scope"),
        pytest.param({"grants": frozenset({"refresh_token"})}, "unauthorized_client", id="grant"),
        pytest.param({"audiences": (API,)}, "invalid_target", id="resource"),
    ],
)
async def test_what_was_taken_from_the_client_meanwhile_is_not_given(
    visitor: Visitor, changes: dict[str, Any], error: str
) -> None:
    await visitor.sign_in()
    await visitor.authorize(resources=(OTHER_API,))
    await change(visitor, **changes)
    assert (await visitor.back(consent="granted")).told["error"] == error


async def test_nothing_goes_to_a_redirect_uri_that_was_taken_back_meanwhile(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize()
    await change(visitor, redirect_uris=("https://shop.example/new",))
    outcome = await visitor.back(consent="granted")
    assert (outcome.status, outcome.location) == (400, "")
    assert visitor.bench.record.tables.codes == {}


async def test_the_button_on_one_persons_page_does_not_agree_for_another(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize()
    shown = await page(visitor, "/consent")
    other = await bob(visitor)
    asked = await send(visitor, "/consent", shown, answer="allow")
    assert asked.page == "/consent"
    assert (other.subject, "shop") not in visitor.bench.record.tables.consents
    shown = await visitor._go("GET", asked.location)
    assert "bob" in shown.body
    assert (await send(visitor, "/consent", shown, answer="allow")).page == "/oauth/authorize"
    assert (other.subject, "shop") in visitor.bench.record.tables.consents


async def test_the_button_with_one_persons_name_does_not_go_on_as_another(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize(prompt="select_account")
    shown = await page(visitor, "/login")
    assert "alice" in shown.body
    await bob(visitor)
    again = await send(visitor, "/login", shown, act="continue")
    assert again.status == 200
    assert "bob" in again.body
    assert (await send(visitor, "/login", again, act="continue")).page == "/oauth/authorize"


async def test_what_one_person_answered_to_prompt_consent_is_no_answer_of_the_next(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize(prompt="consent")
    answered = {"consent": "granted", "answered_by": visitor.bench.alice.subject}
    assert "code" in (await visitor.back(**answered)).told
    other = await bob(visitor)
    tickets, browser = visitor.endpoint.tickets, visitor.jar[BROWSER]
    ticket = structs.replace(tickets.open(visitor.sealed, browser), **answered)
    client = await visitor.bench.stores.clients.find("shop")
    await visitor.endpoint.decision.consents.grant(other.subject, ticket.request, client, ORIGIN)
    assert (await visitor._go("GET", f"/oauth/authorize?ticket={tickets.seal(ticket, browser)}")).page == "/consent"


async def test_to_one_resource_is_not_to_the_clients_first(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.authorize(resources=(OTHER_API,))
    assert "code" in (await visitor.back(consent="granted")).told
    assert "code" in (await visitor.authorize(resources=(OTHER_API,))).told
    assert (await visitor.authorize()).page == "/consent"


async def test_scopes_agreed_to_for_one_resource_are_not_for_another(visitor: Visitor) -> None:
    await visitor.sign_in()
    for scope, resource in (("openid email", API), ("openid read", OTHER_API)):
        await visitor.authorize(scope=scope, resources=(resource,))
        assert "code" in (await visitor.back(consent="granted")).told
    assert (await visitor.authorize(scope="openid read", resources=(API,))).page == "/consent"
    assert "code" in (await visitor.authorize(scope="openid read", resources=(OTHER_API,))).told


async def test_who_signs_in_has_done_what_max_age_asks_for(visitor: Visitor) -> None:
    assert (await visitor.authorize(max_age="0")).page == "/login"
    visitor.bench.clock.advance(5)
    await visitor.sign_in()
    await visitor.consent()
    assert "code" in (await visitor.back()).told


async def test_a_session_that_ends_while_its_code_is_redeemed_opens_no_family(visitor: Visitor) -> None:
    """As another instance ends it: this one's replica has not heard of it yet."""
    await visitor.sign_in()
    await visitor.consent()
    code = (await visitor.authorize()).told["code"]
    tables = visitor.bench.record.tables
    session = next(iter(tables.sessions))
    assert await visitor.bench.stores.sessions.end(session, visitor.bench.clock.now(), NO_CONSEQUENCES)
    with refused(Rule.CODE_CUT):
        await visitor.bench.ask(
            "authorization_code", client="shop", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
        )
    assert tables.families == {}


ACR = '{"id_token": {"acr": {"essential": %s, "values": ["%s"]}}}'


@pytest.mark.parametrize(
    ("essential", "value", "told"),
    [
        pytest.param("true", "urn:other", "error", id="essential, and another"),
        pytest.param("false", "urn:other", "code", id="voluntary"),
        pytest.param("true", "urn:authcenter:acr:1fa", "code", id="essential, and ours"),
    ],
)
async def test_an_essential_acr_is_met_or_refused(visitor: Visitor, essential: str, value: str, told: str) -> None:
    await visitor.sign_in()
    claims = ACR % (essential, value)
    await visitor.consent(claims=claims)
    answered = (await visitor.authorize(claims=claims)).told
    assert told in answered
    assert answered.get("error", "unmet_authentication_requirements") == "unmet_authentication_requirements"


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        pytest.param({"dpop_jkt": "x" * 200}, "invalid_request", id="no thumbprint"),
        pytest.param({"dpop_jkt": "x" * 43}, "invalid_request", id="a binding that nothing here could prove"),
        pytest.param(
            {"id_token_hint": "eyJhbGciOiJFUzI1NiIsInR5cCI6W119.e30.AAAA"},
            "invalid_request",
            id="a hint whose type is a list",
        ),
    ],
)
async def test_what_cannot_be_is_told_to_the_client(visitor: Visitor, asked: dict[str, Any], error: str) -> None:
    assert (await visitor.authorize(**asked)).told["error"] == error


async def test_nobody_gives_a_client_what_the_command_line_alone_gives(visitor: Visitor) -> None:
    scopes = frozenset({"openid", "email", "authcenter:revocations"})
    await change(visitor, scopes=scopes, first_party=True)
    await visitor.sign_in()
    outcome = await visitor.authorize(scope="openid authcenter:revocations")
    assert outcome.told["error"] == "invalid_scope"


async def test_a_refresh_token_tells_its_client_the_name_it_knows(visitor: Visitor) -> None:
    await visitor.sign_in()
    await visitor.consent("pair")
    code = (await visitor.authorize(client_id="pair")).told["code"]
    tokens = await visitor.bench.ask(
        "authorization_code", client="pair", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    claims = (await visitor.bench.introspect(tokens.refresh, "pair")).claims
    assert claims is not None
    assert claims["sub"] == tokens.claims["sub"] != visitor.bench.alice.subject


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/logout"])
async def test_who_asks_for_the_head_alone_changes_nothing(
    visitor: Visitor, web: aiohttp.ClientSession, path: str
) -> None:
    await visitor.sign_in()
    await visitor.consent()
    headers = {"Cookie": f"{SESSION}={visitor.jar[SESSION]}"}
    async with web.head(path, params=GOOD, headers=headers, allow_redirects=False) as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST")
    assert visitor.bench.record.tables.codes == {}
