"""What comes back is not believed: from providers that lie, from strangers in the browser, from the wrong provider."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from authcenter.core.rules import Rule
from authcenter.http.pages.departures import LIFETIME_SECONDS
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.stores.remote.fetch import MOST_BYTES
from tests.unit.federation.conftest import SESSION, Abroad, button, query_of
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import ISSUER

Lie = Callable[[Abroad], None]


def claims(**changed: Any) -> Lie:
    """Of the company's ID token; None leaves one out."""
    return lambda abroad: abroad.company.claims.update(changed)


def header(**changed: Any) -> Lie:
    return lambda abroad: abroad.company.header.update(changed)


def back(**changed: str | None) -> Lie:
    return lambda abroad: abroad.company.back.update(changed)


def tokens(**changed: Any) -> Lie:
    return lambda abroad: abroad.company.tokens.update(changed)


def metadata(**changed: Any) -> Lie:
    return lambda abroad: abroad.company.metadata.update(changed)


def instead(path: str, status: int, body: bytes = b"{}") -> Lie:
    return lambda abroad: abroad.company.answers.update({path: (status, body)})


NOW = 1_893_499_200
"""``START`` of the workbench."""

LIES = [
    pytest.param(claims(iss="https://evil.example"), Rule.PROVIDER_ID_TOKEN, "iss", id="iss"),
    pytest.param(claims(iss=None), Rule.PROVIDER_ID_TOKEN, "iss", id="no iss"),
    pytest.param(claims(iss=["https://evil.example"]), Rule.PROVIDER_ID_TOKEN, "iss", id="iss is a list"),
    pytest.param(claims(aud="another-client"), Rule.PROVIDER_ID_TOKEN, "aud", id="aud"),
    pytest.param(claims(aud=[]), Rule.PROVIDER_ID_TOKEN, "aud", id="aud is empty"),
    pytest.param(
        claims(aud=["client-at-the-provider", "another"], azp=None), Rule.PROVIDER_ID_TOKEN, "aud", id="two aud, no azp"
    ),
    pytest.param(claims(azp="another-client"), Rule.PROVIDER_ID_TOKEN, "aud", id="azp"),
    pytest.param(claims(nonce="n" * 43), Rule.PROVIDER_ID_TOKEN, "binding", id="nonce"),
    pytest.param(claims(nonce=None), Rule.PROVIDER_ID_TOKEN, "binding", id="no nonce"),
    pytest.param(claims(nonce="ü"), Rule.PROVIDER_ID_TOKEN, "binding", id="nonce beyond ASCII"),
    pytest.param(claims(exp=NOW - 31), Rule.PROVIDER_ID_TOKEN, "exp", id="expired"),
    pytest.param(claims(exp=None), Rule.PROVIDER_ID_TOKEN, "malformed", id="no exp"),
    pytest.param(claims(exp="never"), Rule.PROVIDER_ID_TOKEN, "malformed", id="exp is text"),
    pytest.param(claims(iat=None), Rule.PROVIDER_ID_TOKEN, "malformed", id="no iat"),
    pytest.param(claims(iat=NOW + 31), Rule.PROVIDER_ID_TOKEN, "iat_skew", id="issued tomorrow"),
    pytest.param(claims(nbf=NOW + 31), Rule.PROVIDER_ID_TOKEN, "nbf", id="not yet valid"),
    pytest.param(claims(sub=""), Rule.PROVIDER_ID_TOKEN, "malformed", id="empty sub"),
    pytest.param(claims(sub=1), Rule.PROVIDER_ID_TOKEN, "malformed", id="sub is a number"),
    pytest.param(claims(sub="s" * 256), Rule.PROVIDER_ID_TOKEN, "malformed", id="long sub"),
    pytest.param(header(alg="none"), Rule.PROVIDER_ID_TOKEN, "alg", id="alg none"),
    pytest.param(header(alg="HS256"), Rule.PROVIDER_ID_TOKEN, "alg", id="alg HS256"),
    pytest.param(header(alg="RS256"), Rule.PROVIDER_ID_TOKEN, "kid", id="alg of another key"),
    pytest.param(header(kid="another"), Rule.PROVIDER_ID_TOKEN, "kid", id="kid"),
    pytest.param(header(kid=7), Rule.PROVIDER_ID_TOKEN, "kid", id="kid is a number"),
    pytest.param(header(typ="at+jwt"), Rule.PROVIDER_ID_TOKEN, "typ", id="an access token"),
    pytest.param(header(typ="logout+jwt"), Rule.PROVIDER_ID_TOKEN, "typ", id="a logout token"),
    pytest.param(header(crit=["x"]), Rule.PROVIDER_ID_TOKEN, "malformed", id="crit"),
    pytest.param(tokens(id_token="not.a.token"), Rule.PROVIDER_ID_TOKEN, "malformed", id="no JWT"),
    pytest.param(tokens(id_token=None), Rule.PROVIDER_ID_TOKEN, "malformed", id="no ID token"),
    pytest.param(tokens(access_token=None), Rule.PROVIDER_ANSWER, None, id="no access token"),
    pytest.param(tokens(token_type="mac"), Rule.PROVIDER_ANSWER, None, id="token type"),
    pytest.param(tokens(error="server_error"), Rule.PROVIDER_REFUSED, None, id="error with status 200"),
    pytest.param(back(iss="https://evil.example"), Rule.PROVIDER_MIX_UP, None, id="answered by another"),
    pytest.param(back(iss=None), Rule.PROVIDER_MIX_UP, None, id="answered by nobody"),
    pytest.param(back(code="made-up"), Rule.PROVIDER_REFUSED, None, id="a code that somebody made up"),
    pytest.param(back(code=None), Rule.PROVIDER_ANSWER, None, id="neither code nor error"),
    pytest.param(back(code=None, error="server_error"), Rule.PROVIDER_REFUSED, None, id="an error"),
    pytest.param(back(code=None, error="<b>\r\nSet-Cookie: x"), Rule.PROVIDER_REFUSED, None, id="an evil error"),
    pytest.param(instead("/token", 500), Rule.PROVIDER_UNAVAILABLE, None, id="token endpoint 500"),
    pytest.param(instead("/token", 302), Rule.PROVIDER_UNAVAILABLE, None, id="token endpoint leads elsewhere"),
    pytest.param(instead("/token", 400, b"<html>"), Rule.PROVIDER_REFUSED, None, id="token endpoint 400"),
    pytest.param(instead("/token", 200, b"<html>"), Rule.PROVIDER_ANSWER, None, id="token endpoint gives HTML"),
    pytest.param(instead("/token", 200, b"[]"), Rule.PROVIDER_ANSWER, None, id="token endpoint gives a list"),
    pytest.param(instead("/token", 200, b"[" * 100_000), Rule.PROVIDER_ANSWER, None, id="token endpoint nests"),
    pytest.param(instead("/token", 200, b" " * (MOST_BYTES + 1)), Rule.PROVIDER_UNAVAILABLE, None, id="too large"),
    pytest.param(instead("/oauth2/v3/certs", 500), Rule.PROVIDER_ID_TOKEN, "kid", id="no keys"),
]


def nobody_came_in(abroad: Abroad) -> None:
    assert SESSION not in abroad.tab.jar
    assert abroad.bench.record.tables.sessions == {}
    assert abroad.bench.record.tables.identities == {}
    assert [held.user.username for held in abroad.bench.record.tables.users.values()] == ["alice"]


def is_a_clear_page(abroad: Abroad, shown: Shown) -> None:
    """The request id, a way on, no status that a proxy would take for ours, and nothing that a stranger wrote."""
    assert 400 <= shown.status < 500
    assert shown.headers["X-Request-Id"] in shown.body
    assert '<p role="alert">' in shown.body
    assert "evil" not in shown.body
    assert "made-up" not in shown.body
    assert abroad.bench.log.calls == []


@pytest.mark.parametrize(("lie", "rule", "reason"), LIES)
async def test_a_lie_signs_nobody_in(abroad: Abroad, lie: Lie, rule: Rule, reason: str | None) -> None:
    lie(abroad)
    shown = await abroad.come_back("company")
    assert abroad.rule() == rule
    nobody_came_in(abroad)
    is_a_clear_page(abroad, shown)
    assert abroad.bench.counted("id_token_validation_failure_total", reason=reason or "none") == (reason is not None)
    # The page leads back to where the sign-in goes on, once the provider is honest again.
    for told in (abroad.company.claims, abroad.company.header, abroad.company.back, abroad.company.tokens):
        told.clear()
    abroad.company.answers.clear()
    abroad.bench.clock.advance(11)
    again = shown.body.partition('href="/login?ticket=')[2].partition('"')[0]
    assert (await abroad.come_back("company", f"/login?ticket={again}")).location == "/account"


async def test_a_key_that_is_not_published_signs_nobody_in(abroad: Abroad) -> None:
    abroad.company.answers["/oauth2/v3/certs"] = (200, b'{"keys": []}')
    await abroad.come_back("company")
    assert abroad.rule() == Rule.PROVIDER_ID_TOKEN
    nobody_came_in(abroad)


async def test_a_signature_by_another_key_under_the_same_name_signs_nobody_in(abroad: Abroad) -> None:
    way = await abroad.answer(await abroad.leave("company"))
    honest = json.dumps(abroad.company.key_set()).encode()
    abroad.company.answers["/oauth2/v3/certs"] = (200, honest)
    abroad.company.header["kid"] = json.loads(honest)["keys"][0]["kid"]
    abroad.company.key = ALGORITHMS[Alg.ES256].generate()
    await abroad.tab.get(way)
    assert abroad.rule() == Rule.PROVIDER_ID_TOKEN
    assert abroad.bench.counted("id_token_validation_failure_total", reason="sig") == 1
    nobody_came_in(abroad)


BAD_METADATA = [
    pytest.param(metadata(issuer="https://evil.example"), Rule.PROVIDER_ANSWER, id="issuer"),
    pytest.param(metadata(issuer=None), Rule.PROVIDER_ANSWER, id="no issuer"),
    pytest.param(metadata(token_endpoint="http://192.0.2.7/token"), Rule.PROVIDER_ANSWER, id="http"),
    pytest.param(metadata(token_endpoint="file:///etc/passwd"), Rule.PROVIDER_ANSWER, id="file"),
    pytest.param(metadata(authorization_endpoint="javascript:alert(1)"), Rule.PROVIDER_ANSWER, id="javascript"),
    pytest.param(metadata(authorization_endpoint="https://u:p@x.example/"), Rule.PROVIDER_ANSWER, id="credentials"),
    pytest.param(metadata(authorization_endpoint="https://x.example/\r\nX: y"), Rule.PROVIDER_ANSWER, id="line break"),
    pytest.param(metadata(jwks_uri=7), Rule.PROVIDER_ANSWER, id="no text"),
    pytest.param(metadata(userinfo_endpoint="http://192.0.2.7/"), Rule.PROVIDER_ANSWER, id="userinfo over http"),
    pytest.param(instead("/.well-known/openid-configuration", 503), Rule.PROVIDER_UNAVAILABLE, id="503"),
    pytest.param(instead("/.well-known/openid-configuration", 302), Rule.PROVIDER_UNAVAILABLE, id="a redirect"),
    pytest.param(instead("/.well-known/openid-configuration", 200, b"?"), Rule.PROVIDER_ANSWER, id="not JSON"),
]


@pytest.mark.parametrize(("lie", "rule"), BAD_METADATA)
async def test_nobody_is_sent_to_a_provider_that_cannot_be_trusted(abroad: Abroad, lie: Lie, rule: Rule) -> None:
    lie(abroad)
    start = button(await abroad.tab.get("/login"), "company")
    shown = await abroad.tab.get(start)
    assert abroad.rule() == rule
    is_a_clear_page(abroad, shown)
    # For a while nobody asks again, and then it works.
    before = len(abroad.company.hits)
    abroad.company.metadata.clear()
    abroad.company.answers.clear()
    assert (await abroad.tab.get(start)).status == 424
    assert len(abroad.company.hits) == before
    abroad.bench.clock.advance(11)
    assert (await abroad.tab.get(start)).status == 303


async def test_a_private_address_is_asked_only_where_the_policy_lists_it(abroad: Abroad) -> None:
    section = f"company: {{{abroad.section('company')}}}"
    abroad.bench.offer(f"identity_providers: {{{section}}}")
    shown = await abroad.tab.get(button(await abroad.tab.get("/login"), "company"))
    assert (shown.status, abroad.rule()) == (424, Rule.PROVIDER_UNAVAILABLE)
    assert abroad.company.hits == []
    is_a_clear_page(abroad, shown)


async def test_an_outage_does_not_end_what_is_known_of_the_provider(abroad: Abroad) -> None:
    await abroad.leave("company")
    abroad.company.answers["/.well-known/openid-configuration"] = (503, b"")
    abroad.bench.clock.advance(3_700)
    way = await abroad.leave("company")
    assert (await abroad.tab.get(await abroad.answer(way))).location == "/account"
    abroad.bench.clock.advance(86_400)
    assert (await abroad.tab.get(button(await abroad.tab.get("/login"), "company"))).status == 424


async def test_nobody_is_sent_off_by_another_site(abroad: Abroad) -> None:
    await abroad.tab.get("/login")
    assert (await abroad.tab.get("/federation/company")).location == "/login"
    assert abroad.company.hits == []


async def test_a_state_of_another_browser_is_worth_nothing(abroad: Abroad) -> None:
    """Login CSRF: an attacker's answer, planted in somebody else's browser."""
    attacker, victim = Tab(abroad.tab.address), abroad.tab
    await victim.get("/login")
    way = await abroad.answer(await abroad.leave("company", tab=attacker))
    shown = await victim.get(way)
    assert (shown.status, abroad.rule()) == (400, Rule.PROVIDER_STATE)
    assert abroad.company.redeemed == []
    nobody_came_in(abroad)


@pytest.mark.parametrize("state", ["", "x", "A" * 200, "%C3%BC", "A" * 7_000])
async def test_a_state_that_was_made_up_is_worth_nothing(abroad: Abroad, state: str) -> None:
    await abroad.tab.get("/login")
    shown = await abroad.tab.get(f"/federation/company/callback?code=c&state={state}")
    assert (shown.status, abroad.rule()) == (400, Rule.PROVIDER_STATE)
    nobody_came_in(abroad)


async def test_an_answer_counts_once(abroad: Abroad) -> None:
    way = await abroad.answer(await abroad.leave("company"))
    assert (await abroad.tab.get(way)).location == "/account"
    shown = await abroad.tab.get(way)
    assert (shown.status, abroad.rule()) == (400, Rule.PROVIDER_STATE)
    assert len(abroad.company.redeemed) == 1


async def test_an_answer_that_comes_too_late_counts_for_nothing(abroad: Abroad) -> None:
    way = await abroad.answer(await abroad.leave("company"))
    abroad.bench.clock.advance(LIFETIME_SECONDS)
    shown = await abroad.tab.get(way)
    assert (shown.status, abroad.rule()) == (400, Rule.PROVIDER_STATE)
    nobody_came_in(abroad)


async def test_an_answer_at_another_providers_callback_is_a_mix_up(abroad: Abroad) -> None:
    way = await abroad.answer(await abroad.leave("company"))
    shown = await abroad.tab.get(way.replace("/company/", "/google/"))
    assert (shown.status, abroad.rule()) == (400, Rule.PROVIDER_MIX_UP)
    assert abroad.google.redeemed == []
    nobody_came_in(abroad)


async def test_a_code_of_an_honest_provider_never_reaches_an_evil_one(abroad: Abroad) -> None:
    """The mix-up attack (RFC 9207 §1): the evil one sends the browser on to the honest one with its own state."""
    asked = query_of(await abroad.leave("google"))
    honest = abroad.company.authorize({**asked, "redirect_uri": f"{ISSUER}/federation/google/callback"})
    await abroad.tab.get(honest.removeprefix(ISSUER) + f"&iss={abroad.company.url}")
    assert abroad.rule() in {Rule.PROVIDER_MIX_UP, Rule.PARAMETER_REPEATED}
    assert abroad.google.redeemed == []
    nobody_came_in(abroad)


async def test_a_code_of_another_sign_in_is_worth_nothing(abroad: Abroad) -> None:
    """Code injection: a stolen code in a browser of the thief's own."""
    stolen = query_of(await abroad.answer(await abroad.leave("github", tab=Tab(abroad.tab.address))))["code"]
    own = await abroad.answer(await abroad.leave("github"))
    shown = await abroad.tab.get(own.replace(query_of(own)["code"], stolen))
    assert (shown.status, abroad.rule()) == (424, Rule.PROVIDER_REFUSED)
    nobody_came_in(abroad)


def api(path: str, status: int, body: bytes) -> Callable[[Any], None]:
    return lambda github: github.answers.update({f"/api/v3{path}": (status, body)})


GITHUB_LIES = [
    pytest.param(lambda github: github.back.update(code="made-up"), Rule.PROVIDER_REFUSED, id="code"),
    pytest.param(lambda github: github.back.update(iss="https://evil.example"), Rule.PROVIDER_MIX_UP, id="iss"),
    pytest.param(lambda github: github.person.update(id="583231"), Rule.PROVIDER_ANSWER, id="id is text"),
    pytest.param(lambda github: github.person.update(id=True), Rule.PROVIDER_ANSWER, id="id is true"),
    pytest.param(
        lambda github: github.answers.update({"/api/v3/user": (401, b"{}")}), Rule.PROVIDER_UNAVAILABLE, id="401"
    ),
    pytest.param(lambda github: github.answers.update({"/api/v3/user": (200, b"[]")}), Rule.PROVIDER_ANSWER, id="user"),
    pytest.param(
        lambda github: github.answers.update({"/api/v3/user/emails": (200, b"{}")}), Rule.PROVIDER_ANSWER, id="emails"
    ),
    pytest.param(lambda github: github.addresses.clear(), Rule.IDENTITY_UNVERIFIED, id="no address"),
    pytest.param(
        lambda github: github.addresses[1].update(verified=False), Rule.IDENTITY_UNVERIFIED, id="primary not verified"
    ),
    pytest.param(
        lambda github: github.addresses[1].update(verified="true"), Rule.IDENTITY_UNVERIFIED, id="verified is text"
    ),
    pytest.param(lambda github: github.addresses[1].update(email="a b"), Rule.IDENTITY_UNVERIFIED, id="a blank"),
]


@pytest.mark.parametrize(("lie", "rule"), GITHUB_LIES)
async def test_what_github_cannot_have_said_signs_nobody_in(abroad: Abroad, lie: Any, rule: Rule) -> None:
    lie(abroad.github)
    shown = await abroad.come_back("github")
    assert abroad.rule() == rule
    nobody_came_in(abroad)
    is_a_clear_page(abroad, shown)


@pytest.mark.parametrize(
    "path", ["/federation/nobody", "/federation/nobody/callback", "/federation/a/b", "/federation//"]
)
async def test_a_provider_that_there_is_not_is_a_page_that_is_not_there(abroad: Abroad, path: str) -> None:
    assert (await abroad.tab.get(path)).status == 404


async def test_nothing_that_a_provider_says_is_markup(abroad: Abroad) -> None:
    abroad.company.person.update(
        name="<script>alert(1)</script>", picture="javascript:alert(1)", preferred_username="<b>"
    )
    await abroad.come_back("company")
    shown = await abroad.tab.get("/account/identities")
    assert "<script>" not in shown.body
    assert "picture" not in abroad.user(await abroad.who()).claims
