"""Whose account an identity opens: never somebody else's, and never none for who has one."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from authcenter.accounts.letters import Letters
from authcenter.core.event import EventKind
from authcenter.core.mail import MailKind
from authcenter.core.rules import Rule
from tests.unit.federation.conftest import SESSION, Abroad, button
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import PASSWORD

IDENTITIES = "/account/identities"
HANG_SECONDS = 60


def change(abroad: Abroad, username: str, **changes: Any) -> None:
    held = abroad.bench.record.tables.users[abroad.user(username).subject]
    abroad.bench.record.tables.users[held.user.subject] = replace(held, user=replace(held.user, **changes))


def linked(abroad: Abroad, username: str) -> list[str]:
    subject = abroad.user(username).subject
    return [held.provider for held in abroad.bench.record.tables.identities.values() if held.subject == subject]


def letters(abroad: Abroad) -> list[MailKind]:
    core: Letters = abroad.bench.core.letters
    opened = [core.open(row.job.payload) for row in abroad.bench.record.tables.outbox.values()]
    return [letter.kind for letter in opened if letter is not None and letter.to == "alice@example.com"]


async def unlink(abroad: Abroad, tab: Tab | None = None, **changes: str) -> Shown:
    tab = tab or abroad.tab
    shown = await tab.get(IDENTITIES)
    return await tab.post(IDENTITIES, {**shown.fields, **changes})


UNVERIFIED = [
    pytest.param("company", {"email_verified": False}, id="not verified there"),
    pytest.param("company", {"email_verified": None}, id="nothing said of it"),
    pytest.param("company", {"email_verified": "yes"}, id="yes"),
    pytest.param("company", {"email_verified": 1}, id="1"),
    pytest.param("google", {"hd": None}, id="Google, of a domain that it does not host"),
    pytest.param("google", {"hd": ""}, id="Google, of no domain"),
]


@pytest.mark.parametrize("known", [True, False], ids=["of an account", "of nobody"])
@pytest.mark.parametrize(("name", "claims"), UNVERIFIED)
async def test_an_address_that_is_not_verified_there_opens_nothing_and_tells_nothing(
    abroad: Abroad, name: str, claims: dict[str, Any], known: bool
) -> None:
    address = "alice@example.com" if known else "nobody@example.com"
    abroad.named(name).person |= {**claims, "email": address}
    shown = await abroad.come_back(name)
    assert (shown.status, abroad.rule()) == (403, Rule.IDENTITY_UNVERIFIED)
    assert abroad.bench.record.tables.identities == {}
    assert SESSION not in abroad.tab.jar
    assert address not in shown.body


async def test_gmail_needs_no_domain(abroad: Abroad) -> None:
    abroad.google.person |= {"hd": None, "email": "ada@gmail.com"}
    assert (await abroad.come_back("google")).location == "/account"


async def test_a_provider_whose_word_does_not_count_verifies_nothing(abroad: Abroad) -> None:
    abroad.offer(company=", trust_addresses: false", github=", trust_addresses: false")
    for name in ("company", "github"):
        assert (await abroad.come_back(name)).status == 403
    assert abroad.bench.record.tables.identities == {}


async def test_an_address_that_is_not_verified_here_is_not_taken_over_but_shows_the_way(abroad: Abroad) -> None:
    change(abroad, "alice", email_verified=False)
    abroad.company.person |= {"email": "alice@example.com"}
    shown = await abroad.come_back("company")
    assert (shown.status, abroad.rule()) == (409, Rule.IDENTITY_ADDRESS)
    assert linked(abroad, "alice") == []
    change(abroad, "alice", email_verified=True)
    start = shown.body.index('class="button" href="') + len('class="button" href="')
    login = await abroad.tab.get(shown.body[start : shown.body.index('"', start)])
    signed_in = await abroad.tab.post("/login", {**login.fields, "username": "alice", "password": PASSWORD})
    assert signed_in.location == IDENTITIES


@pytest.mark.parametrize(
    "address", ["\uff41lice@example.com", "alice@\uff45xample.com", "alice@example.com.evil.example"]
)
async def test_an_address_that_only_looks_the_same_links_nothing(abroad: Abroad, address: str) -> None:
    abroad.company.person |= {"email": address}
    await abroad.come_back("company")
    assert linked(abroad, "alice") == []


async def test_who_is_disabled_comes_in_no_way(abroad: Abroad) -> None:
    abroad.company.person |= {"email": "alice@example.com"}
    await abroad.bench.core.accounts.disable("alice", actor="tests")
    for _ in range(2):
        shown = await abroad.come_back("company", tab=(tab := Tab(abroad.tab.address)))
        assert (shown.status, abroad.rule()) == (403, Rule.USER_DISABLED)
        assert SESSION not in tab.jar
    assert linked(abroad, "alice") == []
    await abroad.bench.core.accounts.enable("alice", actor="tests")
    assert (await abroad.come_back("company")).location == "/account"
    await abroad.bench.core.accounts.disable("alice", actor="tests")
    assert (await abroad.come_back("company", tab=Tab(abroad.tab.address))).status == 403


NEWCOMERS = [
    pytest.param("", "{signup: true}", True, id="signup on"),
    pytest.param("", "{signup: false}", False, id="signup off"),
    pytest.param(", new_accounts: always", "{signup: false}", True, id="always"),
    pytest.param(", new_accounts: never", "{signup: true}", False, id="never"),
]


@pytest.mark.parametrize(("more", "accounts", "opens"), NEWCOMERS)
async def test_the_policy_says_whether_strangers_get_accounts(
    abroad: Abroad, more: str, accounts: str, opens: bool
) -> None:
    abroad.bench.offer("")
    abroad.offer(company=more, accounts=accounts)
    shown = await abroad.come_back("company")
    assert (shown.status, bool(abroad.bench.record.tables.identities)) == ((303, True) if opens else (403, False))
    assert opens or abroad.rule() == Rule.IDENTITY_STRANGER


async def test_only_so_many_accounts_are_opened_from_an_address(abroad: Abroad) -> None:
    abroad.offer(rate_limits="{signup_per_ip: 2/hour}")
    shown = []
    for number in range(4):
        abroad.company.person |= {"sub": str(number), "email": f"{number}@example.org"}
        shown.append(await abroad.come_back("company", tab=Tab(abroad.tab.address)))
    assert [each.status for each in shown] == [303, 303, 429, 429]
    assert int(shown[-1].headers["Retry-After"]) > 0
    # Those who have an account are not counted.
    abroad.company.person |= {"sub": "0"}
    assert (await abroad.come_back("company")).location == "/account"


async def test_after_a_login_any_identity_can_be_linked_and_signs_in_from_then_on(abroad: Abroad) -> None:
    abroad.company.person |= {"email_verified": False}
    await abroad.sign_in_here()
    again = button(await abroad.tab.get(IDENTITIES), "company")
    assert (await abroad.come_back("company", IDENTITIES)).location == IDENTITIES
    assert "ada@example.org" in (await abroad.tab.get(IDENTITIES)).body
    assert linked(abroad, "alice") == ["company"]
    assert letters(abroad) == [MailKind.IDENTITY_LINKED]
    other = Tab(abroad.tab.address)
    assert (await abroad.come_back("company", tab=other)).location == "/account"
    assert await abroad.who(other) == "alice"
    # Once more, and nothing more happens.
    back = await abroad.answer((await abroad.tab.get(again)).location)
    assert (await abroad.tab.get(back)).location == IDENTITIES
    assert abroad.bench.kinds().count(EventKind.IDENTITY_LINKED) == 1


async def test_an_identity_of_somebody_else_stays_theirs(abroad: Abroad) -> None:
    await abroad.come_back("company", tab=Tab(abroad.tab.address))
    await abroad.sign_in_here()
    shown = await abroad.come_back("company", IDENTITIES)
    assert (shown.status, abroad.rule()) == (409, Rule.IDENTITY_TAKEN)
    assert (linked(abroad, "alice"), linked(abroad, "ada")) == ([], ["company"])


@pytest.mark.parametrize("meanwhile", ["signed out", "somebody else"])
async def test_an_identity_is_linked_to_who_asked_for_it_or_to_nobody(abroad: Abroad, meanwhile: str) -> None:
    await abroad.sign_in_here()
    way = await abroad.answer(await abroad.leave("company", IDENTITIES))
    if meanwhile == "signed out":
        del abroad.tab.jar[SESSION]
    else:
        await abroad.come_back("github")
        assert await abroad.who() == "octoada"
    shown = await abroad.tab.get(way)
    assert (shown.status, abroad.rule()) == (409, Rule.IDENTITY_OTHER_PERSON)
    assert "company" not in {provider for provider, _ in abroad.bench.record.tables.identities}


async def test_linking_needs_a_sign_in_of_lately(abroad: Abroad) -> None:
    await abroad.sign_in_here()
    start = button(await abroad.tab.get(IDENTITIES), "company")
    abroad.bench.clock.advance(301)
    assert (await abroad.tab.get(start)).location.startswith("/login?ticket=")


async def test_a_link_of_another_browser_links_nothing(abroad: Abroad) -> None:
    await abroad.sign_in_here()
    thief = Tab(abroad.tab.address)
    await thief.get("/login")
    shown = await thief.get(button(await abroad.tab.get(IDENTITIES), "company"))
    assert (shown.status, abroad.rule()) == (400, Rule.TICKET_INVALID)


async def test_what_was_linked_can_be_unlinked_where_there_is_a_password(abroad: Abroad) -> None:
    await abroad.sign_in_here()
    await abroad.come_back("github", IDENTITIES)
    assert (await unlink(abroad)).location == IDENTITIES
    assert linked(abroad, "alice") == []
    assert letters(abroad) == [MailKind.IDENTITY_LINKED, MailKind.IDENTITY_UNLINKED]
    assert abroad.bench.kinds().count(EventKind.IDENTITY_UNLINKED) == 1
    assert "There are none yet." in (await abroad.tab.get(IDENTITIES)).body


async def test_the_last_way_to_sign_in_stays(abroad: Abroad) -> None:
    await abroad.come_back("company")
    shown = await unlink(abroad)
    assert (shown.status, abroad.rule()) == (409, Rule.IDENTITY_LAST)
    assert "last way to sign in" in shown.body
    assert (await abroad.come_back("github", IDENTITIES)).location == IDENTITIES
    assert (await unlink(abroad, provider="company", identity="248289761001")).location == IDENTITIES
    assert (await unlink(abroad)).status == 409
    assert linked(abroad, "ada") == ["github"]


async def test_of_two_that_are_unlinked_at_once_one_stays(abroad: Abroad) -> None:
    await abroad.come_back("company")
    await abroad.come_back("github", IDENTITIES)
    ways = [("company", "248289761001"), ("github", "583231")] * 4
    shown = await asyncio.gather(*(unlink(abroad, provider=name, identity=subject) for name, subject in ways))
    assert len(linked(abroad, "ada")) == 1
    assert {each.status for each in shown} == {303, 409}


async def test_what_is_unlinked_twice_at_once_is_unlinked(abroad: Abroad) -> None:
    await abroad.sign_in_here()
    await abroad.come_back("github", IDENTITIES)
    fields, board, asked = (await abroad.tab.get(IDENTITIES)).fields, abroad.bench.board, "identities.remove"
    board.held[asked] = asyncio.Event()
    clicks = [asyncio.create_task(abroad.tab.post(IDENTITIES, fields)) for _ in range(2)]
    async with asyncio.timeout(HANG_SECONDS):
        while board.asked.count(asked) < len(clicks):
            await asyncio.sleep(0.001)
    board.held[asked].set()
    assert [shown.location for shown in await asyncio.gather(*clicks)] == [IDENTITIES] * 2
    assert linked(abroad, "alice") == []
    assert letters(abroad).count(MailKind.IDENTITY_UNLINKED) == 1


async def test_a_provider_that_is_gone_is_no_way_in_and_can_be_unlinked(abroad: Abroad) -> None:
    await abroad.come_back("company")
    await abroad.come_back("github", IDENTITIES)
    abroad.bench.offer(f"identity_providers: {{company: {{{abroad.section('company')}}}}}")
    page = (await abroad.tab.get(IDENTITIES)).body
    assert "Nobody can sign in by it any more." in page
    assert (await unlink(abroad, provider="company", identity="248289761001")).status == 409
    assert (await unlink(abroad, provider="github", identity="583231")).location == IDENTITIES
    assert linked(abroad, "ada") == ["company"]


async def test_nobody_unlinks_what_is_not_theirs(abroad: Abroad) -> None:
    await abroad.come_back("company", tab=Tab(abroad.tab.address))
    await abroad.sign_in_here()
    csrf = (await abroad.tab.get("/login")).fields["csrf"]
    theirs = {"csrf": csrf, "provider": "company", "identity": "248289761001"}
    assert (await abroad.tab.post(IDENTITIES, theirs)).location == IDENTITIES
    assert linked(abroad, "ada") == ["company"]


async def test_an_account_without_a_password_is_opened_by_none(abroad: Abroad) -> None:
    await abroad.come_back("company")
    username = await abroad.who()
    for password in ("", " ", "None"):
        shown = await abroad.tab.get("/login")
        fields = {**shown.fields, "username": username, "password": password, "act": "login"}
        assert (await Tab(abroad.tab.address, dict(abroad.tab.jar)).post("/login", fields)).status == 401
