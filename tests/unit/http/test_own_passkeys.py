"""Adding passkeys, and taking them away."""

import html
import re
from dataclasses import replace

import pytest

from authcenter.accounts.passkeys import LONGEST_NAME
from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.core import base64url
from authcenter.core.cut import NO_CONSEQUENCES
from authcenter.core.event import EventKind
from authcenter.core.identity import Identity
from authcenter.core.mail import MailKind
from authcenter.core.passkey import MOST_PASSKEYS, Passkey
from authcenter.core.rules import Rule
from authcenter.core.second_factor import Factor
from tests.authenticator import enrol
from tests.passkey_device import EDDSA, ES256, PRESENT, RS256, SYNCABLE, SYNCED, VERIFIED, Lie, PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.passkey_walks import ALONE, PASSKEYS, SECOND, alone, by_password, enrolled, make, options, remove
from tests.unit.http.test_second_factor import letters, rules_logged, sessions, tab
from tests.workbench import START, Workbench

__all__ = ["tab"]


def kept(bench: Workbench) -> list[Passkey]:
    return list(bench.record.tables.passkeys.values())


def codes_on(shown: Shown) -> list[str]:
    return re.findall(r"<li><code>([^<]+)</code></li>", shown.body)


async def test_the_page_asks_for_a_new_one(bench: Workbench, tab: Tab) -> None:
    await by_password(tab)
    shown = await tab.get(PASSKEYS)
    assert shown.status == 200
    asked = options(shown)
    assert asked["rp"] == {"id": "auth.example", "name": bench.policy.current.brand.name}
    assert base64url.decode(asked["user"]["id"]) == bench.alice.subject.encode()
    assert asked["user"]["name"] == "alice"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert asked["excludeCredentials"] == []
    assert len(base64url.decode(asked["challenge"])) == 32
    assert options(await tab.get(PASSKEYS))["challenge"] != asked["challenge"]


async def test_the_script_is_a_file_of_ours_and_nothing_else_runs(tab: Tab) -> None:
    await by_password(tab)
    shown = await tab.get(PASSKEYS)
    assert re.findall(r"<script[^>]*>", shown.body) == ['<script src="/static/passkeys.js">']
    assert "script-src 'self';" in shown.headers["Content-Security-Policy"] + ";"
    assert "Passkeys need JavaScript" in shown.body
    assert "script-src" not in (await tab.get("/account/second-factors")).headers["Content-Security-Policy"]


async def test_the_account_page_leads_here(tab: Tab) -> None:
    await by_password(tab)
    assert f'href="{PASSKEYS}"' in (await tab.get("/account")).body
    assert f'href="{PASSKEYS}"' in (await tab.get("/account/second-factors")).body


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])
async def test_one_is_added_and_recovery_codes_shown(bench: Workbench, tab: Tab, algorithm: int) -> None:
    device = PasskeyDevice(algorithm, count=0)
    await by_password(tab)
    [before] = sessions(bench)
    assert before.acr == ACR_ONE_FACTOR
    bench.events.clear()
    done = await make(tab, device, name="  My\tgreen phone ")
    assert done.status == 200
    assert len(set(codes_on(done))) == 10
    [passkey] = kept(bench)
    assert passkey == Passkey(
        credential_id=device.credential_id,
        subject=bench.alice.subject,
        public_key=device.public_key(),
        sign_count=1,
        transports=("internal", "hybrid"),
        aaguid="00010203-0405-0607-0809-0a0b0c0d0e0f",
        name="Mygreen phone",
        backed_up=False,
        created_at=START,
    )
    assert bench.kinds() == [EventKind.SECOND_FACTOR_ADDED, EventKind.SESSION_RENEWED]
    assert bench.events[0].context["factor"] == Factor.PASSKEY
    assert [letter.kind for letter in letters(bench)] == [MailKind.SECOND_FACTOR_ADDED]
    [session] = sessions(bench)
    assert (session.acr, session.amr) == (ACR_TWO_FACTORS, ("pwd", "hwk", "user", "mfa"))
    assert session.auth_time == before.auth_time
    page = await tab.get(PASSKEYS)
    assert "Mygreen phone" in page.body
    assert "Not used yet" in page.body
    assert "On one device only" in page.body
    assert [one["id"] for one in options(page)["excludeCredentials"]] == [base64url.encode(device.credential_id)]


async def test_a_second_one_brings_no_new_recovery_codes(bench: Workbench, tab: Tab) -> None:
    tab = await enrolled(tab.address, PasskeyDevice())
    codes = dict(bench.record.tables.recovery_codes)
    synced = PasskeyDevice(number=1, credential_id=b"another", flags=PRESENT | VERIFIED | SYNCABLE | SYNCED)
    assert (await make(tab, synced)).location == PASSKEYS
    assert bench.record.tables.recovery_codes == codes
    page = await tab.get(PASSKEYS)
    assert page.body.count("My phone") == 2
    assert "On all devices that share your passkeys" in page.body


async def test_beside_an_app_its_recovery_codes_stay(bench: Workbench, tab: Tab) -> None:
    app = await enrol(bench)
    shown = await tab.follow(await by_password(tab))
    await tab.post(SECOND, {**shown.fields, "act": "code", "code": app.code()})
    codes = dict(bench.record.tables.recovery_codes)
    assert (await make(tab, PasskeyDevice())).location == PASSKEYS
    assert bench.record.tables.recovery_codes == codes
    await remove(tab)
    assert bench.record.tables.recovery_codes == codes


NAMES = [
    pytest.param("", "Passkey", id="none"),
    pytest.param(" \u202e\u200b ", "Passkey", id="nothing that shows"),
    pytest.param("<b>'\"", "<b>'\"", id="markup"),
    pytest.param("ä" * 100, "ä" * LONGEST_NAME, id="too long"),
]


@pytest.mark.parametrize(("typed", "name"), NAMES)
async def test_names_are_what_shows(bench: Workbench, tab: Tab, typed: str, name: str) -> None:
    await by_password(tab)
    await make(tab, PasskeyDevice(), name=typed)
    assert [one.name for one in kept(bench)] == [name]
    assert (
        f">{html.escape(name, quote=True).replace('&quot;', '&#34;').replace('&#x27;', '&#39;')}</h2>"
        in (await tab.get(PASSKEYS)).body
    )


LIES = [
    pytest.param(Lie(origin="https://auth.example.evil"), Rule.PASSKEY_ORIGIN, id="another origin"),
    pytest.param(Lie(origin="http://auth.example"), Rule.PASSKEY_ORIGIN, id="without TLS"),
    pytest.param(Lie(cross_origin=True), Rule.PASSKEY_ORIGIN, id="in a frame"),
    pytest.param(Lie(challenge=b"c" * 32), Rule.PASSKEY_CHALLENGE, id="another challenge"),
    pytest.param(Lie(host="example"), Rule.PASSKEY_SIGNATURE, id="for another host"),
    pytest.param(Lie(kind="webauthn.get"), Rule.PASSKEY_SIGNATURE, id="a signature, not a new key"),
    pytest.param(Lie(maker="android-safetynet"), Rule.PASSKEY_MALFORMED, id="a statement nobody asked for"),
    pytest.param(Lie(maker="packed"), Rule.PASSKEY_SIGNATURE, id="a statement without a signature"),
    pytest.param(Lie(key=b"\xa0"), Rule.PASSKEY_SIGNATURE, id="an empty key"),
    pytest.param(Lie(key=b"\x01"), Rule.PASSKEY_SIGNATURE, id="a number as a key"),
    pytest.param(
        Lie(key=bytes.fromhex("a5010203262001215820" + "11" * 32 + "225820" + "22" * 32)),
        Rule.PASSKEY_SIGNATURE,
        id="a point off its curve",
    ),
    pytest.param(
        Lie(key=bytes.fromhex("a40103033901002043010001215901f0" + "f1" * 496)), Rule.PASSKEY_SIGNATURE, id="odd RSA"
    ),
    pytest.param(
        Lie(key=bytes.fromhex("a4010303390100205907d0" + "f1" * 2000 + "2143010001")),
        Rule.PASSKEY_MALFORMED,
        id="RSA of 16,000 bits",
    ),
]


@pytest.mark.parametrize(("lie", "rule"), LIES)
async def test_what_does_not_hold_is_not_added(bench: Workbench, tab: Tab, lie: Lie, rule: Rule) -> None:
    await by_password(tab)
    refused = await make(tab, PasskeyDevice(), lie)
    assert refused.status == 401
    assert 'role="alert" id="problem"' in refused.body
    assert f'"rule":"{rule}"' in rules_logged(bench)
    assert kept(bench) == []
    assert bench.record.tables.recovery_codes == {}
    # What the page asks now is another question, which can be answered.
    sent = {"act": "add", "credential": PasskeyDevice().create(options(refused))}
    assert (await tab.post(PASSKEYS, {**refused.fields, **sent})).status == 200


async def test_a_device_that_does_not_check_who_holds_it_is_not_added(bench: Workbench, tab: Tab) -> None:
    await by_password(tab)
    refused = await make(tab, PasskeyDevice(flags=PRESENT))
    assert refused.status == 401
    assert "Set up a PIN" in refused.body
    assert f'"rule":"{Rule.PASSKEY_UNVERIFIED}"' in rules_logged(bench)
    assert kept(bench) == []


ANSWERS = [
    "",
    "null",
    "[]",
    "{}",
    '"text"',
    "[" * 15_000,
    '{"id":1}',
    '{"id":"a","rawId":"a","type":"public-key","response":{}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"oA"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"bnVsbA","attestationObject":"\u00e4"}}',
    '{"id":"YQ","rawId":"YQ","type":"public-key","response":{"clientDataJSON":"-","authenticatorData":"-","signature":""}}',
    "x" * 40_000,
]


@pytest.mark.parametrize("answer", ANSWERS, ids=range(len(ANSWERS)))
@pytest.mark.parametrize("path", [PASSKEYS, ALONE, SECOND])
async def test_no_answer_of_a_browser_is_refused(bench: Workbench, tab: Tab, path: str, answer: str) -> None:
    if path != ALONE:
        await enrolled(tab.address, PasskeyDevice())
        shown = await tab.follow(await by_password(tab))
        if path == PASSKEYS:
            device = PasskeyDevice()
            device.handle = bench.alice.subject.encode()
            await tab.post(SECOND, {**shown.fields, "act": "passkey", "credential": device.get(options(shown))})
    shown = await tab.get(path) if path != SECOND else shown
    sent = await tab.post(path, {**shown.fields, "credential": answer})
    assert sent.status == 401
    assert "Your browser sent no passkey" in sent.body
    assert f'"rule":"{Rule.PASSKEY_MALFORMED}"' in rules_logged(bench)


async def test_a_form_counts_once(bench: Workbench, tab: Tab) -> None:
    await by_password(tab)
    shown = await tab.get(PASSKEYS)
    device = PasskeyDevice()
    form = {**shown.fields, "act": "add", "credential": device.create(options(shown))}
    assert (await tab.post(PASSKEYS, form)).status == 200
    again = await tab.post(PASSKEYS, {**form, "csrf": (await tab.get(PASSKEYS)).fields["csrf"]})
    assert again.status == 401
    assert f'"rule":"{Rule.PASSKEY_REPLAYED}"' in rules_logged(bench)
    assert len(kept(bench)) == 1


async def test_a_page_open_for_too_long_is_asked_again(bench: Workbench, tab: Tab) -> None:
    await by_password(tab)
    shown = await tab.get(PASSKEYS)
    bench.clock.advance(600)
    form = {**shown.fields, "act": "add", "credential": PasskeyDevice().create(options(shown))}
    # The sign-in is no longer lately by now, either.
    back = await tab.follow(await tab.post(PASSKEYS, form))
    await tab.post("/login", {**back.fields, "username": "alice", "password": "correct horse battery"})
    refused = await tab.post(PASSKEYS, form)
    assert refused.status == 401
    assert "took too long" in refused.body
    assert f'"rule":"{Rule.PASSKEY_CEREMONY}"' in rules_logged(bench)
    assert kept(bench) == []


async def test_the_question_of_a_sign_in_adds_nothing(bench: Workbench, tab: Tab) -> None:
    await by_password(tab)
    asked = await tab.get(ALONE)
    shown = await tab.get(PASSKEYS)
    lie = Lie(challenge=base64url.decode(options(asked)["challenge"]))
    refused = await make(tab, PasskeyDevice(), lie, ceremony=asked.fields["ceremony"])
    assert refused.status == 401
    assert f'"rule":"{Rule.PASSKEY_CEREMONY}"' in rules_logged(bench)
    assert shown.fields["ceremony"] != asked.fields["ceremony"]
    assert kept(bench) == []


async def test_another_persons_passkey_is_not_added(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    await by_password(tab)
    theirs = Passkey(device.credential_id, bench.alice.subject, b"key", 0, (), "", "theirs", False, START)
    await bench.stores.passkeys.add(theirs, [], 20, NO_CONSEQUENCES)
    bench.record.tables.passkeys[device.credential_id] = replace(theirs, subject=type(theirs.subject)("usr_other"))
    refused = await make(tab, device)
    assert refused.status == 401
    assert f'"rule":"{Rule.PASSKEY_TAKEN}"' in rules_logged(bench)
    assert letters(bench) == []


async def test_there_are_no_more_than_twenty(bench: Workbench, tab: Tab) -> None:
    tab = await enrolled(tab.address, PasskeyDevice())
    [passkey] = kept(bench)
    shown = await tab.get(PASSKEYS)
    for number in range(1, MOST_PASSKEYS):
        more = replace(passkey, credential_id=bytes([number]))
        assert (await bench.stores.passkeys.add(more, [], 20, NO_CONSEQUENCES)).done
    device = PasskeyDevice(credential_id=b"one too many")
    form = {**shown.fields, "act": "add", "credential": device.create(options(shown))}
    refused = await tab.post(PASSKEYS, form)
    assert refused.status == 401
    assert f'"rule":"{Rule.PASSKEYS_FULL}"' in rules_logged(bench)
    assert "You have 20 passkeys" in refused.body
    assert "data-options" not in refused.body
    assert len(kept(bench)) == MOST_PASSKEYS


async def test_one_is_removed_and_no_longer_works(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    tab = await enrolled(tab.address, device)
    bench.events.clear()
    assert (await remove(tab)).location == PASSKEYS
    assert kept(bench) == []
    assert bench.record.tables.recovery_codes == {}
    assert bench.kinds() == [EventKind.SECOND_FACTOR_REMOVED]
    assert [letter.kind for letter in letters(bench)] == [MailKind.SECOND_FACTOR_ADDED, MailKind.SECOND_FACTOR_REMOVED]
    assert (await alone(Tab(tab.address), device)).status == 401
    assert f'"rule":"{Rule.PASSKEY_UNKNOWN}"' in rules_logged(bench)
    assert (await by_password(Tab(tab.address))).location == "/account"


@pytest.mark.parametrize("name", ["", "bm9uZQ", "not base64url=", "\u00e4"])
async def test_none_is_removed_by_another_name(bench: Workbench, tab: Tab, name: str) -> None:
    tab = await enrolled(tab.address, PasskeyDevice())
    assert (await remove(tab, passkey=name)).location == PASSKEYS
    assert len(kept(bench)) == 1


async def test_nobody_removes_anothers(bench: Workbench, tab: Tab) -> None:
    tab = await enrolled(tab.address, PasskeyDevice())
    shown = await tab.get(PASSKEYS)
    [mine] = kept(bench)
    theirs = replace(mine, credential_id=b"theirs", subject=type(mine.subject)("usr_other"))
    bench.record.tables.passkeys[b"theirs"] = theirs
    form = {**shown.fields, "act": "remove", "passkey": base64url.encode(b"theirs")}
    assert (await tab.post(PASSKEYS, form)).location == PASSKEYS
    assert kept(bench) == [mine, theirs]


@pytest.mark.parametrize("act", ["add", "remove"])
async def test_a_session_left_open_changes_nothing(bench: Workbench, tab: Tab, act: str) -> None:
    device = PasskeyDevice()
    tab = await enrolled(tab.address, device)
    shown = await tab.get(PASSKEYS)
    bench.clock.advance(301)
    assert (await tab.get(PASSKEYS)).location.startswith("/login?ticket=")
    new = PasskeyDevice(number=1, credential_id=b"new").create(options(shown))
    sent = await tab.post(PASSKEYS, {**shown.fields, "act": act, "credential": new})
    assert sent.location.startswith("/login?ticket=")
    assert [one.credential_id for one in kept(bench)] == [device.credential_id]


async def test_a_password_alone_changes_nothing(bench: Workbench, tab: Tab) -> None:
    await enrolled(tab.address, PasskeyDevice())
    await by_password(tab)
    assert (await tab.get(PASSKEYS)).location.startswith("/login?ticket=")


async def test_the_last_way_in_stays(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    tab = await enrolled(tab.address, device)
    held = bench.record.tables.users[bench.alice.subject]
    bench.record.tables.users[bench.alice.subject] = replace(held, password_hash="")
    refused = await remove(tab)
    assert refused.status == 409
    assert "the only way into your account" in refused.body
    assert f'"rule":"{Rule.PASSKEY_LAST}"' in rules_logged(bench)
    assert len(kept(bench)) == 1
    # An identity of a provider that there is no more is no way in.
    bench.offer("identity_providers: {company: {kind: openid, client_id: x, issuer: 'https://id.example'}}")
    for provider, status in (("gone", 409), ("company", 303)):
        identity = Identity(provider, "1", bench.alice.subject, "", "", START, START)
        await bench.stores.identities.link(identity, NO_CONSEQUENCES)
        assert (await remove(tab)).status == status


async def test_a_passkey_is_another_way_in_when_an_identity_is_unlinked(bench: Workbench, tab: Tab) -> None:
    tab = await enrolled(tab.address, PasskeyDevice())
    held = bench.record.tables.users[bench.alice.subject]
    bench.record.tables.users[bench.alice.subject] = replace(held, password_hash="")
    identity = Identity("company", "1", bench.alice.subject, "", "", START, START)
    await bench.stores.identities.link(identity, NO_CONSEQUENCES)
    shown = await tab.get("/account/identities")
    done = await tab.post("/account/identities", {**shown.fields, "provider": "company", "identity": "1"})
    assert done.status == 303
    assert bench.record.tables.identities == {}
    assert (await remove(tab)).status == 409


async def test_a_reset_ends_them(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    await enrolled(tab.address, device)
    assert await bench.core.second_factors.reset(bench.alice, "en", actor="cli:op")
    assert kept(bench) == []
    assert (await alone(tab, device)).status == 401


async def test_deleting_the_account_ends_them(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    tab = await enrolled(tab.address, device)
    told = await tab.get("/account/download")
    assert told.status == 200
    shown = await tab.get("/account/delete")
    assert shown.status == 200
    await tab.post("/account/delete", {**shown.fields, "username": "alice", "confirm": "alice", "act": "delete"})
    assert bench.record.tables.passkeys == {}
    assert (await alone(Tab(tab.address), device)).status == 401
