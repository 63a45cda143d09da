"""The pages under the account: profile, download and deletion, as a browser walks through them."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from authcenter.accounts.personal_data import PersonalData
from authcenter.audit.chain import erased_rows, first_break
from authcenter.authorization.consents import Consents
from authcenter.core.event import EventKind
from authcenter.core.identity import Identity
from authcenter.core.ids import ClientId
from authcenter.core.scope import Scope
from authcenter.core.secret import Secret
from authcenter.http.server import Listener
from tests.authenticator import enrol
from tests.unit.http.browsing import Shown, Tab
from tests.workbench import ISSUER, ORIGIN, PASSWORD, Workbench

SESSION = "__Host-authcenter_session"


@pytest.fixture
async def address(bench: Workbench) -> AsyncIterator[str]:
    listener = await Listener(bench.service.public, "127.0.0.1", 0).open()
    yield f"http://127.0.0.1:{listener.port}"
    await listener.runner.cleanup()


@pytest.fixture
def tab(address: str) -> Tab:
    return Tab(address)


async def opened(tab: Tab, path: str) -> Shown:
    """A page, signing in on the way where that is asked for."""
    shown = await tab.follow(await tab.get(path))
    if 'name="password"' not in shown.body:
        return shown
    return await tab.follow(await tab.post("/login", {**shown.fields, "username": "alice", "password": PASSWORD}))


async def send(tab: Tab, path: str, **form: str) -> Shown:
    return await tab.post(path, {**(await opened(tab, path)).fields, **form})


async def test_the_account_leads_to_its_sections(tab: Tab) -> None:
    shown = await opened(tab, "/account")
    for section in ("profile", "download", "delete"):
        assert f'href="/account/{section}"' in shown.body


async def test_a_profile_is_saved_and_shown_again(bench: Workbench, tab: Tab) -> None:
    lines = "Main St 1\r\nTop floor"
    form = {"name": " Alice Doe ", "locale": "de-AT", "zoneinfo": "Europe/Vienna", "street_address": lines}
    saved = await send(tab, "/account/profile", **form, birthdate="1990-12-31", picture="https://cdn.example/a.png")
    assert (saved.status, saved.location) == (303, "/account/profile?saved=1")
    assert bench.alice.claims == {
        "name": "Alice Doe",
        "locale": "de-AT",
        "zoneinfo": "Europe/Vienna",
        "birthdate": "1990-12-31",
        "picture": "https://cdn.example/a.png",
        "address": {"street_address": "Main St 1\nTop floor"},
    }
    assert bench.kinds()[-1] == EventKind.USER_CLAIMS_SET
    assert bench.events[-1].actor == bench.alice.subject
    shown = await tab.follow(saved)
    assert 'role="status"' in shown.body
    assert 'value="Alice Doe"' in shown.body
    assert "Main St 1\nTop floor</textarea>" in shown.body


async def test_what_is_left_as_it_was_is_no_change(bench: Workbench, tab: Tab) -> None:
    address = {"formatted": "Main St 1, Vienna", "street_address": "Main St 1\nTop floor", "locality": "Vienna"}
    claims = {"name": "Alice", "address": address, "phone_number": "+43 1", "phone_number_verified": True}
    await bench.core.accounts.set_claims("alice", claims, actor="tests")
    before = bench.alice
    form = {"name": "Alice", "street_address": "Main St 1\r\nTop floor", "locality": "Vienna", "phone_number": "+43 1"}
    assert (await send(tab, "/account/profile", **form)).status == 303
    assert bench.alice == before


async def test_what_is_emptied_goes_and_a_new_number_is_not_verified(bench: Workbench, tab: Tab) -> None:
    claims = {
        "name": "Alice",
        "address": {"locality": "Vienna"},
        "phone_number": "+43 1",
        "phone_number_verified": True,
    }
    await bench.core.accounts.set_claims("alice", claims, actor="tests")
    await send(tab, "/account/profile", phone_number="+43 2")
    assert bench.alice.claims == {"phone_number": "+43 2"}


WRONG = {
    "picture": "javascript:alert(1)",
    "website": "//example.com",
    "birthdate": "31.12.1990",
    "zoneinfo": "my place",
    "locale": "German, please",
    "phone_number": "call me",
    "name": "x" * 1_001,
    "street_address": "a\tb",
}


@pytest.mark.parametrize("name", WRONG)
async def test_what_does_not_fit_is_marked_and_nothing_is_saved(bench: Workbench, tab: Tab, name: str) -> None:
    before = bench.alice
    shown = await send(tab, "/account/profile", **{"nickname": "typed before", name: WRONG[name]})
    assert shown.status == 422
    assert 'role="alert"' in shown.body
    assert "<title>Error:" in shown.body
    assert f'id="wrong-{name}"' in shown.body
    assert shown.body.count(" autofocus") == 1
    assert 'value="typed before"' in shown.body
    assert bench.alice == before


async def test_the_audit_log_says_by_which_request_it_was_changed(bench: Workbench, tab: Tab) -> None:
    answer = await send(tab, "/account/profile", name="Alice")
    row = bench.record.tables.audit[-1]
    assert (row.event, row.actor) == ("user.claims_set", bench.alice.subject)
    assert (row.ip, row.request_id) == ("127.0.0.1", answer.headers["X-Request-Id"])
    assert row.user_agent.startswith("Python")


async def test_other_fields_of_a_form_change_nothing(bench: Workbench, tab: Tab) -> None:
    more = {"phone_number_verified": "true", "email": "m@example.com", "roles": "operator", "username": "root"}
    await send(tab, "/account/profile", **more, name="Alice")
    assert bench.alice.claims == {"name": "Alice"}
    assert (bench.alice.username, bench.alice.email, bench.alice.roles) == ("alice", "alice@example.com", {"reader"})


@pytest.mark.parametrize("path", ["/account/profile", "/account/download", "/account/delete"])
async def test_nobody_reaches_a_page_of_somebody_without_signing_in(bench: Workbench, tab: Tab, path: str) -> None:
    fields = (await tab.get("/login")).fields
    for shown in (await tab.get(path), await tab.post(path, {**fields, "confirm": "alice", "name": "x"})):
        assert shown.status == 303
        assert shown.location.startswith("/login?ticket=")
    assert bench.alice.claims == {}


@pytest.mark.parametrize("path", ["/account/download", "/account/delete"])
async def test_a_session_left_open_is_not_enough(bench: Workbench, tab: Tab, path: str) -> None:
    form = {**(await opened(tab, path)).fields, "confirm": "alice"}
    bench.clock.advance(301)
    for shown in (await tab.get(path), await tab.post(path, form)):
        assert shown.location.startswith("/login?ticket=")
        assert 'value="continue"' not in (await tab.follow(shown)).body
    assert bench.alice.erased_at is None
    shown = await opened(tab, path)
    assert (shown.status, "alice" in shown.body) == (200, True)


async def test_a_download_has_everything_about_the_person_and_no_secret(bench: Workbench, tab: Tab) -> None:
    await bench.core.accounts.set_claims("alice", {"name": "Älice"}, actor="cli:root")
    await bench.core.accounts.create("bob", "bob@example.com", Secret(PASSWORD), actor="tests")
    issued = await bench.issue()
    await Consents(bench.stores.consents, bench.clock).remember(
        bench.alice.subject, ClientId("app"), Scope.of({"read"}), frozenset(), frozenset(), ORIGIN
    )
    file = await send(tab, "/account/download")
    assert file.status == 200
    assert file.headers["Content-Type"] == "application/json"
    assert file.headers["Content-Disposition"] == 'attachment; filename="account.json"'
    assert file.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = json.loads(file.body)
    assert told["account"]["sub"] == bench.alice.subject
    assert told["account"]["claims"] == {"name": "Älice"}
    assert (told["account"]["email"], told["account"]["roles"]) == ("alice@example.com", ["reader"])
    assert [one["client_id"] for one in told["consents"]] == ["app"]
    (session,) = told["sessions"]
    assert session["user_agent"].startswith("Python")
    assert [one["name"] for one in told["grants"]] == ["app"]
    assert told["identities"] == told["passkeys"] == told["authenticator_apps"] == told["recovery_codes"] == []
    assert told["events_complete"] is True
    by = {one["event"]: one["by"] for one in told["events"]}
    assert by == {
        "user.created": "others",
        "user.claims_set": "others",
        "consent.granted": "you",
        "session.started": "you",
    }
    held = bench.record.tables.users[bench.alice.subject]
    salts = [row.salt for row in bench.record.tables.audit]
    for secret in (held.password_hash, PASSWORD, issued.refresh, issued.access, tab.jar[SESSION], "bob", *salts):
        assert secret not in file.body
    assert "cli:root" not in file.body
    row = bench.record.tables.audit[-1]
    assert (row.event, row.actor, row.subject) == ("user.data_downloaded", bench.alice.subject, bench.alice.subject)
    assert (row.ip, row.request_id) == ("127.0.0.1", file.headers["X-Request-Id"])


async def test_what_the_audit_log_cannot_say_is_not_handed_out(bench: Workbench, tab: Tab) -> None:
    form = (await opened(tab, "/account/download")).fields
    bench.board.off.add("audit.append")
    file = await tab.post("/account/download", form)
    assert file.status == 503
    assert bench.alice.subject not in file.body


async def test_a_download_tells_of_identities_and_factors_without_their_secrets(bench: Workbench) -> None:
    app, at = await enrol(bench), bench.clock.now()
    linked = Identity("example", "ext-7", bench.alice.subject, "a@elsewhere.example", "Al", at, at)
    bench.record.tables.identities["example", "ext-7"] = linked
    data = PersonalData(
        accounts=bench.core.accounts,
        consents=bench.stores.consents,
        sessions=bench.stores.sessions,
        persons=bench.stores.persons,
        audit=bench.stores.audit,
        issuer=ISSUER,
        clock=bench.clock,
    )
    told = await data.of(bench.alice.subject)
    assert told["identities"][0]["provider_subject"] == "ext-7"
    assert told["authenticator_apps"][0]["confirmed"] is True
    assert app.secret not in json.dumps(told)


@pytest.mark.parametrize("confirm", ["", "alic", "bob", "alice@example.com", PASSWORD])
async def test_without_the_name_nothing_is_deleted(bench: Workbench, tab: Tab, confirm: str) -> None:
    shown = await send(tab, "/account/delete", confirm=confirm)
    assert shown.status == 422
    assert 'role="alert"' in shown.body
    assert bench.alice.erased_at is None
    assert (await tab.get("/account")).status == 200


async def test_a_deleted_account_is_gone_with_its_sessions(bench: Workbench, tab: Tab, address: str) -> None:
    other, issued = Tab(address), await bench.issue()
    await opened(other, "/account")
    answer = await send(tab, "/account/delete", confirm=" ALICE ")
    assert (answer.status, answer.location) == (303, "/account/deleted")
    assert tab.jar[SESSION] == "", "the browser forgets it"
    assert "is deleted" in (await tab.follow(answer)).body
    await bench.follow()
    assert (await other.get("/account")).location.startswith("/login?ticket=")
    assert not await bench.active(issued.access)
    rows = bench.record.tables.audit
    assert first_break(rows, bench.core.checkpoint_keys.proves) is None
    # That it was made, and two sign-ins.
    assert len(erased_rows(rows)) == 3
    left = repr((rows, bench.record.tables.sessions, bench.record.tables.users))
    for name in ("alice", "Python/", "127.0.0.1"):
        assert name not in left
    again = await tab.get("/login")
    refused = await tab.post("/login", {**again.fields, "username": "alice", "password": PASSWORD})
    assert refused.status == 401
