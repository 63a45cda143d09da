"""Signing in by a provider: there and back, to an account that is found or made."""

import asyncio
from dataclasses import replace

import pytest

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.event import EventKind
from authcenter.core.job import JobName
from authcenter.proofs.pkce import challenge_of
from tests.authenticator import enrol
from tests.servers.identity_providers import CLIENT_ID
from tests.unit.federation.conftest import SESSION, Abroad, query_of
from tests.unit.http.browsing import Tab

PROVIDERS = ["company", "google", "github"]
SUBJECTS = {"company": "248289761001", "google": "248289761001", "github": "583231"}


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_stranger_gets_an_account_and_the_same_one_the_next_time(abroad: Abroad, name: str) -> None:
    back = await abroad.come_back(name)
    assert (back.status, back.location) == (303, "/account")
    username = await abroad.who()
    user = abroad.user(username)
    assert (user.email, user.email_verified, user.claims["name"]) == ("ada@example.org", True, "Ada Lovelace")
    assert username == ("octoada" if name == "github" else "ada")
    again = Tab(abroad.tab.address)
    await abroad.come_back(name, tab=again)
    assert await abroad.who(again) == username
    assert [*abroad.bench.record.tables.identities] == [(name, SUBJECTS[name])]
    kinds = abroad.bench.kinds()
    assert kinds.count(EventKind.USER_CREATED) == kinds.count(EventKind.IDENTITY_LINKED) == 1
    assert {session.amr for session, _ in abroad.bench.record.tables.sessions.values()} == {("fed",)}
    assert abroad.bench.counted("login_total", outcome="success") == 2


@pytest.mark.parametrize("name", PROVIDERS)
async def test_a_provider_is_asked_with_all_that_protects_the_answer(abroad: Abroad, name: str) -> None:
    first, second = [query_of(await abroad.leave(name)) for _ in range(2)]
    secret = ["state", "code_challenge", *(["nonce"] if name != "github" else [])]
    for asked in (first, second):
        assert asked["client_id"] == CLIENT_ID
        assert asked["redirect_uri"] == f"https://auth.example/federation/{name}/callback"
        assert asked["code_challenge_method"] == "S256"
        assert all(len(asked[each]) >= 43 for each in secret)
    assert all(first[each] != second[each] for each in secret)


async def test_the_sign_in_goes_on_at_the_application(abroad: Abroad) -> None:
    await abroad.bench.client(
        "shop",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        redirect_uris=("https://shop.example/cb",),
        first_party=True,
    )
    challenge = challenge_of("v" * 43)
    path = (
        "/oauth/authorize?client_id=shop&redirect_uri=https://shop.example/cb&response_type=code&scope=openid"
        f"&state=mine&login_hint=ada@example.org&code_challenge={challenge}&code_challenge_method=S256"
    )
    address = await abroad.leave("company", path)
    assert query_of(address)["login_hint"] == "ada@example.org"
    shown = await abroad.tab.follow(await abroad.tab.get(await abroad.answer(address)))
    assert shown.location.startswith("https://shop.example/cb?")
    assert query_of(shown.location)["state"] == "mine"


@pytest.mark.parametrize("name", PROVIDERS)
async def test_an_address_verified_on_both_sides_links_and_its_owner_is_told(abroad: Abroad, name: str) -> None:
    await abroad.sign_in_here(Tab(abroad.tab.address))
    for each in (abroad.company, abroad.google):
        each.person = {**each.person, "email": "Alice@Example.com"}
    abroad.github.addresses = [{"email": "Alice@Example.com", "primary": True, "verified": True, "visibility": None}]
    assert (await abroad.come_back(name)).location == "/account"
    assert await abroad.who() == "alice"
    jobs = [row.job.name for row in abroad.bench.record.tables.outbox.values()]
    assert jobs == [JobName.MAIL]
    assert abroad.bench.kinds().count(EventKind.IDENTITY_LINKED) == 1
    assert EventKind.USER_CREATED not in abroad.bench.kinds()


async def test_a_second_factor_is_asked_for_after_a_provider_as_well(abroad: Abroad) -> None:
    app = await enrol(abroad.bench)
    abroad.company.person |= {"email": "alice@example.com"}
    back = await abroad.come_back("company")
    assert back.location.startswith("/login/second-factor?ticket=")
    assert SESSION not in abroad.tab.jar
    shown = await abroad.tab.follow(back)
    done = await abroad.tab.post("/login/second-factor", {**shown.fields, "act": "code", "code": app.code()})
    assert done.location == "/account"
    ((session, _),) = abroad.bench.record.tables.sessions.values()
    assert "fed" in session.amr
    assert session.acr.endswith("2fa")


async def test_who_signs_up_may_do_so_by_a_provider_that_opens_accounts(abroad: Abroad) -> None:
    abroad.offer(github=", new_accounts: never")
    shown = await abroad.tab.get("/signup")
    assert "Sign in with GitHub" not in shown.body
    assert (await abroad.come_back("company", "/signup")).location == "/account"


async def test_a_first_sign_in_from_many_tabs_makes_one_account(abroad: Abroad) -> None:
    tabs = [Tab(abroad.tab.address) for _ in range(4)]
    ways = [await abroad.answer(await abroad.leave("company", tab=tab)) for tab in tabs]
    shown = await asyncio.gather(*(tab.get(way) for tab, way in zip(tabs, ways, strict=True)))
    assert {each.location for each in shown} == {"/account"}
    assert {await abroad.who(tab) for tab in tabs} == {"ada"}
    assert len(abroad.bench.record.tables.identities) == 1


@pytest.mark.parametrize("taken", ["ada", "ADA"])
async def test_a_name_that_somebody_has_gets_a_number(abroad: Abroad, taken: str) -> None:
    record = abroad.bench.record
    held = record.tables.users[abroad.user("alice").subject]
    record.tables.users[held.user.subject] = replace(held, user=replace(held.user, username=taken))
    await abroad.come_back("company")
    assert (await abroad.who()).startswith("ada-")


async def test_a_secret_goes_with_the_form_where_the_issuer_wants_it_so(abroad: Abroad) -> None:
    abroad.company.posted = True
    assert (await abroad.come_back("company")).location == "/account"


async def test_what_the_id_token_does_not_say_is_asked_of_userinfo(abroad: Abroad) -> None:
    abroad.company.claims = {"email": None, "email_verified": None}
    assert (await abroad.come_back("company")).location == "/account"
    assert abroad.company.hits.count("/v1/userinfo") == 1


async def test_the_metadata_is_asked_for_once_an_hour(abroad: Abroad) -> None:
    for _ in range(3):
        await abroad.leave("company")
    assert abroad.company.hits.count("/.well-known/openid-configuration") == 1
    abroad.bench.clock.advance(3_600)
    await abroad.leave("company")
    assert abroad.company.hits.count("/.well-known/openid-configuration") == 2


async def test_who_must_sign_in_afresh_is_asked_afresh_there(abroad: Abroad) -> None:
    await abroad.sign_in_here()
    abroad.bench.clock.advance(600)
    csrf = (await abroad.tab.get("/login")).fields["csrf"]
    login = (await abroad.tab.post("/account/identities", {"csrf": csrf, "provider": "x", "identity": "y"})).location
    assert login.startswith("/login?ticket=")
    asked = [query_of(await abroad.leave(name, login)).get("prompt") for name in PROVIDERS]
    assert asked == ["login", "select_account", "select_account"]


async def test_who_changes_their_mind_is_back_where_they_were(abroad: Abroad) -> None:
    abroad.company.back = {"code": None, "error": "access_denied"}
    back = await abroad.come_back("company")
    assert back.location.startswith("/login?ticket=")
    abroad.company.back = {}
    assert (await abroad.come_back("company", back.location)).location == "/account"


async def test_buttons_are_in_the_order_and_by_the_names_of_the_policy(abroad: Abroad) -> None:
    abroad.offer(company=", name: 'Ex & Co'")
    body = (await abroad.tab.get("/login")).body
    places = [body.index(f"Sign in with {title}") for title in ("Ex &amp; Co", "Google", "GitHub")]
    assert places == sorted(places)
    abroad.bench.offer("")
    assert "/federation/" not in (await abroad.tab.get("/login")).body
    assert (await abroad.tab.get("/federation/company")).status == 404
    assert SESSION not in abroad.tab.jar
