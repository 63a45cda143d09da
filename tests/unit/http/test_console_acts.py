"""What operators do in the console: each act once, by who may, with their name in the audit log."""

import re
from urllib.parse import quote

import pytest

from authcenter.core.event import EventKind
from authcenter.core.ids import uuid7
from authcenter.core.rules import Rule
from authcenter.core.user import User
from tests.unit.http.browsing import Tab
from tests.unit.http.operating import AtConsole, at_console, make_operator, sign_in
from tests.workbench import PASSWORD, Answer, Workbench, refused

MARKUP = "\"'><script>alert(1)</script>"
POLICY = "tokens: {access_ttl: 120}"


@pytest.fixture
async def console(bench: Workbench, address: str) -> AtConsole:
    return await at_console(bench, address)


@pytest.fixture
async def bob(bench: Workbench) -> User:
    user = await bench.add_user("bob")
    bench.events.clear()
    return user


def page_of(user: User) -> str:
    return f"/console/users?sub={user.subject}"


FORMS = [
    pytest.param("/console/clients?id=app", {"id": "app", "act": "disable"}, id="disable client"),
    pytest.param("/console/clients?id=app", {"id": "app", "act": "rotate"}, id="rotate secret"),
    pytest.param("/console/users?sub={bob}", {"sub": "{bob}", "act": "disable"}, id="disable user"),
    pytest.param(
        "/console/revocations?by=client&of=app",
        {"by": "client", "of": "app", "reason": "lost", "confirm": "app"},
        id="revoke",
    ),
    pytest.param("/console/policy", {"document": POLICY, "confirm": "push", "over": ""}, id="push policy"),
]


@pytest.mark.parametrize(("path", "form"), FORMS)
class TestNobodyElseActs:
    """Each form, sent by whoever should not."""

    async def test_a_forged_form(self, console: AtConsole, bob: User, path: str, form: dict[str, str]) -> None:
        path, form = filled(path, form, bob)
        own = (await console.get(path)).fields["csrf"]
        for csrf, headers in ((own, {"Origin": "https://evil.example"}), ("x", {}), ("", {})):
            refused = await console.tab.post(path.partition("?")[0], {**form, "csrf": csrf}, **headers)
            assert refused.status == 403
        assert console.bench.events == []

    async def test_another_browsers_form(self, console: AtConsole, bob: User, path: str, form: dict[str, str]) -> None:
        path, form = filled(path, form, bob)
        other = Tab(console.tab.address)
        csrf = (await other.follow(await other.get("/login"))).fields["csrf"]
        assert (await console.tab.post(path.partition("?")[0], {**form, "csrf": csrf})).status == 403
        assert console.bench.events == []

    async def test_a_person_without_the_role(
        self, console: AtConsole, bob: User, path: str, form: dict[str, str]
    ) -> None:
        path, form = filled(path, form, bob)
        csrf = (await console.get(path)).fields["csrf"]
        make_operator(console.bench, "reader")
        refused = await console.tab.post(path.partition("?")[0], {**form, "csrf": csrf})
        assert refused.status == 404
        assert "There is no such page." in refused.body
        assert console.bench.events == []

    async def test_a_person_who_is_not_signed_in(
        self, console: AtConsole, bob: User, path: str, form: dict[str, str]
    ) -> None:
        path, form = filled(path, form, bob)
        tab = Tab(console.tab.address)
        csrf = (await tab.follow(await tab.get("/login"))).fields["csrf"]
        answer = await tab.post(path.partition("?")[0], {**form, "csrf": csrf})
        assert answer.location.startswith("/login?ticket=")
        assert console.bench.events == []

    async def test_a_sign_in_by_one_factor(
        self, console: AtConsole, bob: User, path: str, form: dict[str, str]
    ) -> None:
        path, form = filled(path, form, bob)
        make_operator(console.bench, name="bob")
        tab = Tab(console.tab.address)
        csrf = (await tab.follow(await sign_in(tab, path="/account", name="bob"))).fields["csrf"]
        console.bench.events.clear()
        answer = await tab.post(path.partition("?")[0], {**form, "csrf": csrf})
        assert answer.location.startswith("/login/second-factor?ticket=")
        assert console.bench.events == []

    async def test_a_sign_in_of_a_while_ago(
        self, console: AtConsole, bob: User, path: str, form: dict[str, str]
    ) -> None:
        path, form = filled(path, form, bob)
        csrf = (await console.get(path)).fields["csrf"]
        console.bench.clock.advance(301)
        assert (await console.get(path)).status == 200
        answer = await console.tab.post(path, {**form, "csrf": csrf})
        assert answer.location.startswith("/login?ticket=")
        assert console.bench.events == []
        on = await sign_in(console.tab, console.app, answer.location)
        assert on.location == path


def filled(path: str, form: dict[str, str], user: User) -> tuple[str, dict[str, str]]:
    return path.replace("{bob}", user.subject), {
        name: value.replace("{bob}", user.subject) for name, value in form.items()
    }


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        ("disable", EventKind.USER_DISABLED),
        ("logout", EventKind.USER_LOGGED_OUT),
        ("require_reset", EventKind.USER_RESET_REQUIRED),
    ],
)
async def test_what_is_done_to_a_user_is_recorded_as_the_operators(
    console: AtConsole, bob: User, act: str, kind: EventKind
) -> None:
    token = await console.bench.issue(username="bob")
    answer = await console.act(page_of(bob), sub=bob.subject, act=act)
    assert (answer.status, answer.location) == (303, page_of(bob))
    [event] = [one for one in console.bench.events if one.kind is kind]
    assert (event.actor, event.subject) == (console.bench.alice.subject, bob.subject)
    assert event.origin is not None
    assert event.origin.request_id == answer.headers["X-Request-Id"]
    assert not await console.bench.active(token.access)


async def test_a_disabled_user_is_enabled_again(console: AtConsole, bob: User) -> None:
    await console.act(page_of(bob), sub=bob.subject, act="disable")
    assert "Disabled since" in (await console.get(page_of(bob))).body
    await console.act(page_of(bob), sub=bob.subject, act="enable")
    assert "Disabled since" not in (await console.get(page_of(bob))).body


async def test_nobody_disables_themselves(console: AtConsole) -> None:
    alice = console.bench.alice
    answer = await console.act(page_of(alice), sub=alice.subject, act="disable")
    assert answer.status == 409
    assert console.bench.alice.disabled_at is None


@pytest.mark.parametrize("subject", ["bob", "bob@example.com", "usr_nobody", MARKUP, ""])
async def test_a_user_is_named_by_the_subject_alone(console: AtConsole, bob: User, subject: str) -> None:
    csrf = (await console.get(page_of(bob))).fields["csrf"]
    answer = await console.tab.post("/console/users", {"csrf": csrf, "sub": subject, "act": "disable"})
    assert answer.status == 404
    assert "<script" not in answer.body
    assert console.bench.events == []


async def test_a_user_is_shown_with_sessions_and_factors(console: AtConsole, bob: User) -> None:
    await sign_in(Tab(console.tab.address), path="/account", name="bob")
    found = await console.get("/console/users?q=bo")
    assert f'href="{page_of(bob)}"' in found.body
    shown = await console.get(page_of(bob))
    assert "bob@example.com" in shown.body
    assert "192.0.2." in shown.body or "127.0.0.1" in shown.body
    assert "totp" in (await console.get(page_of(console.bench.alice))).body


async def test_a_client_is_disabled_and_enabled(console: AtConsole) -> None:
    assert (await own_token(console.bench)).access
    answer = await console.act("/console/clients?id=app", id="app", act="disable")
    assert (answer.status, answer.location) == (303, "/console/clients?id=app")
    with refused(Rule.CLIENT_DISABLED):
        await own_token(console.bench)
    [event] = console.bench.events
    assert (event.kind, event.actor) == (EventKind.CLIENT_UPDATED, console.bench.alice.subject)
    assert (await console.act("/console/clients?id=app", id="app", act="disable")).status == 409
    assert (await console.act("/console/clients?id=app", id="app", act="enable")).status == 303
    # The second in which it was let in again belongs to the cut.
    console.bench.clock.advance(1)
    assert (await own_token(console.bench)).access


@pytest.mark.parametrize(("end_old", "live"), [({}, 2), ({"end_old": "1"}, 1)], ids=["beside", "instead"])
async def test_a_new_secret_is_shown_once(console: AtConsole, end_old: dict[str, str], live: int) -> None:
    answer = await console.act("/console/clients?id=app", id="app", act="rotate", **end_old)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    secret = re.findall(r'id="secret">([^<]+)<', answer.body)[0]
    client = await console.bench.core.clients.get("app")
    assert len(client.secrets) == live
    console.bench.secrets["app"] = secret
    assert (await own_token(console.bench)).access
    assert secret not in (await console.get("/console/clients?id=app")).body
    [event] = [one for one in console.bench.events if one.kind is EventKind.CLIENT_SECRET_ROTATED]
    assert secret not in str(event)


async def test_a_public_client_gets_no_secret(console: AtConsole) -> None:
    page = "/console/clients?id=shop"
    assert 'value="rotate"' not in (await console.get(page)).body
    assert (await console.act(page, id="shop", act="rotate")).status == 400


async def test_an_attackers_name_stays_text(console: AtConsole) -> None:
    await console.bench.client("evil", name=MARKUP, grants=frozenset({"client_credentials"}))
    for path in ("/console/clients", "/console/clients?id=evil", f"/console/clients?q={quote(MARKUP)}"):
        shown = await console.get(path)
        assert shown.status == 200
        assert "<script" not in shown.body
    assert "&lt;script" in shown.body


async def test_an_unknown_client_is_said_to_be(console: AtConsole) -> None:
    assert (await console.get("/console/clients?id=nobody")).status == 404
    assert (await console.act("/console/clients?id=app", id="nobody", act="disable")).status == 404


async def test_a_revocation_is_counted_first_and_done_once_it_is_confirmed(console: AtConsole) -> None:
    bench, page = console.bench, "/console/revocations?by=client&of=app"
    held = [await own_token(bench) for _ in range(3)]
    await bench.service.audit.flush()
    assert tokens_shown((await console.get(page)).body) == 3
    wrong = await console.act(page, by="client", of="app", reason="lost", confirm="other")
    assert wrong.status == 400
    assert 'role="alert"' in wrong.body
    assert all([await bench.active(one.access) for one in held])
    done = await console.act(page, by="client", of="app", reason="lost laptop", confirm="app")
    assert done.status == 303
    shown = await console.get(done.location)
    assert tokens_shown(shown.body) == 0
    assert not any([await bench.active(one.access) for one in held])
    [event] = [one for one in bench.events if one.kind is EventKind.TOKENS_CUT]
    assert event.actor == bench.alice.subject
    assert event.context["reason"] == "lost laptop"
    assert event.origin is not None


@pytest.mark.parametrize("name", ["username", "email", "subject"])
async def test_a_users_tokens_are_revoked_by_any_of_their_names(console: AtConsole, bob: User, name: str) -> None:
    token = await console.bench.issue(username="bob")
    await console.bench.service.audit.flush()
    of = str(getattr(bob, name))
    page = f"/console/revocations?by=user&of={quote(of)}"
    assert tokens_shown((await console.get(page)).body) == 1
    assert (await console.act(page, by="user", of=of, reason="lost", confirm=of)).status == 303
    assert not await console.bench.active(token.access)


async def test_a_key_is_revoked_and_a_successor_signs(console: AtConsole) -> None:
    bench, kid = console.bench, console.bench.signer.kid
    await own_token(bench)
    await bench.service.audit.flush()
    page = f"/console/revocations?by=key&of={kid}"
    assert tokens_shown((await console.get(page)).body) == 1
    assert (await console.act(page, by="key", of=kid, reason="leaked", confirm=kid)).status == 303
    assert bench.signer.kid != kid
    assert [one.actor for one in bench.events if one.kind is EventKind.KEY_REVOKED] == [bench.alice.subject]
    assert (await console.act(page, by="key", of=kid, reason="leaked", confirm=kid)).status in {400, 409}


async def test_everything_until_an_instant_is_revoked_by_typing_the_instant(console: AtConsole) -> None:
    bench = console.bench
    old = await own_token(bench)
    bench.clock.advance(60)
    new = await own_token(bench)
    await bench.service.audit.flush()
    at = "2030-01-01T12:00:30Z"
    page = f"/console/revocations?by=everything&of=&before={quote(at)}"
    assert tokens_shown((await console.get(page)).body) == 1
    answer = await console.act(page, by="everything", before=at, reason="leak", confirm=at)
    assert answer.location.startswith("/console/revocations?")
    assert not await bench.active(old.access)
    assert await bench.active(new.access)


@pytest.mark.parametrize(
    "query",
    [
        "by=client&of=",
        "by=client&of=nobody",
        "by=user&of=nobody",
        "by=key&of=nothing",
        "by=everything",
        "by=everything&before=2999-01-01",
        "by=client&of=app&before=2999-01-01",
        "by=family&of=x&before=2h",
        "by=client&of=app&before=999999d",
        "by=client&of=app&before=0001-01-01T00:00%2B14:00",
        "by=moon&of=x",
        f"by=client&of={quote(MARKUP)}",
        "by=client&of=%00",
    ],
)
async def test_what_cannot_be_revoked_is_said(console: AtConsole, query: str) -> None:
    shown = await console.get(f"/console/revocations?{query}")
    assert shown.status == 400
    assert 'role="alert"' in shown.body
    assert "<script" not in shown.body


async def test_a_policy_is_compared_with_its_impact(console: AtConsole) -> None:
    shown = await compared(console, POLICY)
    assert "-tokens.access_ttl: 600" in shown or "-tokens.access_ttl:" in shown
    assert "+tokens.access_ttl: 120" in shown
    assert "access tokens issued so far live on" in shown
    assert "each machine has its own" in shown
    assert "Nothing changes." in await compared(console, "{}")


@pytest.mark.parametrize("text", ["tokens: {acess_ttl: 1}", "- 1", ": :", f"{MARKUP}: 1", "\x00"])
async def test_a_policy_that_is_not_valid_is_told_why(console: AtConsole, text: str) -> None:
    csrf = (await console.get("/console/policy")).fields["csrf"]
    shown = await console.tab.post("/console/policy/compare", {"csrf": csrf, "document": text})
    assert shown.status == 400
    assert 'role="alert"' in shown.body
    assert "<script" not in shown.body


async def test_without_a_place_to_push_to_nothing_is_pushed(console: AtConsole) -> None:
    before = console.bench.policy.current.version
    answer = await console.act("/console/policy", document=POLICY, confirm="push", over="")
    assert answer.status == 409
    assert console.bench.policy.current.version == before


async def test_the_audit_log_is_searched_and_paged(console: AtConsole) -> None:
    for _ in range(60):
        await own_token(console.bench)
        # A row each.
        await console.bench.service.audit.flush()
    first = await console.get("/console/audit?event=token.&client=app")
    assert rows_shown(first.body) == 50
    older = re.findall(r'href="(/console/audit\?[^"]*older_at[^"]*)"', first.body)[0].replace("&amp;", "&")
    second = await console.get(older)
    assert rows_shown(second.body) == 10
    assert 'rel="next"' not in second.body
    whole = re.findall(r'href="(/console/audit\?row=[^"]*)"', second.body)[0].replace("&amp;", "&")
    row = await console.get(whole)
    assert "row_hash" in row.body
    assert "&#34;jti&#34;" in row.body


async def test_tokens_that_share_a_row_are_counted_and_found(console: AtConsole) -> None:
    instant, jtis = uuid7()[:-4], list[str]()
    for number in range(3):
        answer = await console.bench.ask("client_credentials", request_id=f"{instant}{number:04x}")
        jtis.append(answer.claims["jti"])
    await console.bench.service.audit.flush()
    together = await console.get("/console/audit?event=token.issued")
    assert rows_shown(together.body) == 1
    assert "tokens 3" in together.body
    alone = await console.get(f"/console/audit?jti={jtis[1]}")
    assert rows_shown(alone.body) == 1
    assert jtis[1] in alone.body
    assert jtis[0] not in alone.body
    whole = re.findall(r'href="(/console/audit\?row=[^"]*)"', alone.body)[0].replace("&amp;", "&")
    row = await console.get(whole)
    assert all(jti in row.body for jti in jtis)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("since=yesterday", 400),
        ("since=2h&until=1h", 200),
        ("since=999999d", 400),
        ("row=x&sequence=1", 404),
        ("row=x&sequence=" + "9" * 400, 404),
        ("row=x&sequence=-1", 404),
        ("older_at=x&older_writer=y&older_sequence=zz", 200),
        (f"person={quote(MARKUP)}", 200),
        ("person=%00", 400),
        ("event=" + "x" * 5000, 200),
    ],
)
async def test_strange_questions_to_the_audit_log_do_no_harm(console: AtConsole, query: str, status: int) -> None:
    shown = await console.get(f"/console/audit?{query}")
    assert shown.status == status
    assert "<script" not in shown.body


async def test_a_strangers_user_agent_stays_text_in_the_audit_log(console: AtConsole) -> None:
    tab = Tab(console.tab.address)
    shown = await tab.follow(await tab.get("/account"))
    await console.bench.add_user("bob")
    await tab.post("/login", {**shown.fields, "username": "bob", "password": PASSWORD}, User_Agent=MARKUP)
    listed = await console.get("/console/audit?event=session.started")
    whole = re.findall(r'href="(/console/audit\?row=[^"]*)"', listed.body)[0].replace("&amp;", "&")
    row = await console.get(whole)
    assert "<script" not in row.body
    assert "&lt;script" in row.body


async def test_keys_are_shown_with_what_is_planned(console: AtConsole) -> None:
    shown = await console.get("/console/keys")
    for kid in console.bench.core.keys.ring.keys:
        assert kid in shown.body
    assert "is published" in shown.body


async def own_token(bench: Workbench) -> Answer:
    """A token that ``app`` has for itself."""
    return await bench.ask("client_credentials")


async def compared(console: AtConsole, text: str) -> str:
    csrf = (await console.get("/console/policy")).fields["csrf"]
    shown = await console.tab.post("/console/policy/compare", {"csrf": csrf, "document": text})
    assert shown.status == 200, shown.body
    return shown.body


def tokens_shown(body: str) -> int:
    return int(re.findall(r'id="tokens">(\d+)<', body)[0])


def rows_shown(body: str) -> int:
    return len(re.findall(r'href="/console/audit\?row=', body))
