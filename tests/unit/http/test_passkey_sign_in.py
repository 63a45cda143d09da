"""Signing in by a passkey: alone, and as the second step."""

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from authcenter.accounts.sessions import ACR_ONE_FACTOR, ACR_TWO_FACTORS
from authcenter.core import base64url
from authcenter.core.client import AuthMethod, Profile
from authcenter.core.event import EventKind
from authcenter.core.ids import Subject
from authcenter.core.rules import Rule
from authcenter.http.server import Listener
from authcenter.proofs.pkce import challenge_of
from tests.authenticator import enrol
from tests.passkey_device import EDDSA, ES256, PRESENT, RS256, SYNCABLE, SYNCED, TRUTH, VERIFIED, Lie, PasskeyDevice
from tests.unit.http.browsing import Shown, Tab
from tests.unit.http.passkey_walks import ALONE, PASSKEYS, SECOND, alone, by_password, enrolled, options, second
from tests.unit.http.test_second_factor import SESSION, rules_logged, sessions, tab
from tests.workbench import Workbench

__all__ = ["tab"]
REDIRECT = "https://shop.example/cb"


@pytest.fixture
async def device(bench: Workbench, tab: Tab) -> PasskeyDevice:
    """Alice's, added in another browser."""
    made = PasskeyDevice(count=0)
    await enrolled(tab.address, made)
    bench.record.tables.sessions.clear()
    bench.events.clear()
    return made


async def test_the_login_page_offers_it_without_a_script(tab: Tab) -> None:
    shown = await tab.get("/login")
    assert f'href="{ALONE}?ticket=' in shown.body
    assert "<script" not in shown.body
    assert "script-src" not in shown.headers["Content-Security-Policy"]


async def test_the_page_asks_for_whosever_passkey(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    shown = await tab.get(ALONE)
    assert shown.status == 200
    asked = options(shown)
    assert asked["rpId"] == "auth.example"
    assert asked["allowCredentials"] == []
    assert asked["userVerification"] == "required"
    assert " data-auto" in shown.body
    assert "alice" not in shown.body
    assert "Passkeys need JavaScript" in shown.body
    assert device.credential_id not in repr(asked).encode()


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256], ids=["ES256", "EdDSA", "RS256"])
@pytest.mark.parametrize(
    ("flags", "method"),
    [(0, "hwk"), (SYNCABLE, "swk"), (SYNCABLE | SYNCED, "swk")],
    ids=["bound", "syncable", "synced"],
)
async def test_a_passkey_alone_signs_in_by_two_factors(
    bench: Workbench, tab: Tab, algorithm: int, flags: int, method: str
) -> None:
    device = PasskeyDevice(algorithm, flags=PRESENT | VERIFIED | flags)
    await enrolled(tab.address, device)
    bench.record.tables.sessions.clear()
    bench.events.clear()
    bench.clock.advance(60)
    answer = await alone(tab, device)
    assert (answer.status, answer.location) == (303, "/account")
    [session] = sessions(bench)
    assert (session.subject, session.acr, session.amr) == (
        bench.alice.subject,
        ACR_TWO_FACTORS,
        (method, "user", "mfa"),
    )
    assert session.auth_time == bench.clock.now()
    assert bench.kinds() == [EventKind.SESSION_STARTED]
    [passkey] = bench.record.tables.passkeys.values()
    assert (passkey.used_at, passkey.backed_up) == (bench.clock.now(), bool(flags & SYNCED))
    assert (await tab.get("/account")).status == 200
    assert "Last used on 2030-01-01" in (await tab.get(PASSKEYS)).body
    assert bench.counted("login_total", outcome="success") == 2


async def test_a_password_and_a_passkey_sign_in(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    shown = await tab.follow(await by_password(tab))
    assert shown.status == 200
    assert SESSION not in tab.jar
    asked = options(shown)
    assert [one["id"] for one in asked["allowCredentials"]] == [base64url.encode(device.credential_id)]
    assert asked["userVerification"] == "preferred"
    assert 'id="code"' not in shown.body
    assert "<details>" in shown.body
    sent = {"act": "passkey", "credential": device.get(asked)}
    assert (await tab.post(SECOND, {**shown.fields, **sent})).location == "/account"
    [session] = sessions(bench)
    assert (session.acr, session.amr) == (ACR_TWO_FACTORS, ("pwd", "hwk", "user", "mfa"))


@pytest.mark.parametrize("lie", [TRUTH, Lie(no_handle=True)], ids=["it says whose", "it does not"])
async def test_as_the_second_step_a_touch_is_enough(
    bench: Workbench, tab: Tab, device: PasskeyDevice, lie: Lie
) -> None:
    device.flags = PRESENT
    assert (await second(tab, device, lie)).location == "/account"
    assert [one.acr for one in sessions(bench)] == [ACR_TWO_FACTORS]


async def test_the_app_and_recovery_codes_go_on_beside_it(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    app = await enrol(bench)
    shown = await tab.follow(await by_password(tab))
    assert "data-options" in shown.body
    assert 'id="code"' in shown.body
    assert (await tab.post(SECOND, {**shown.fields, "act": "code", "code": app.code()})).location == "/account"
    other = Tab(tab.address)
    shown = await other.follow(await by_password(other))
    sent = {"act": "recovery", "code": app.recovery_codes[0]}
    assert (await other.post(SECOND, {**shown.fields, **sent})).location == "/account"
    assert (await second(Tab(tab.address), device)).location == "/account"


LIES = [
    pytest.param(Lie(origin="https://auth.example.evil"), Rule.PASSKEY_ORIGIN, id="a page of another origin"),
    pytest.param(Lie(origin="https://www.auth.example"), Rule.PASSKEY_ORIGIN, id="a page of a host below ours"),
    pytest.param(Lie(origin="https://auth.example:8443"), Rule.PASSKEY_ORIGIN, id="a page of another port"),
    pytest.param(Lie(origin="http://auth.example"), Rule.PASSKEY_ORIGIN, id="a page without TLS"),
    pytest.param(Lie(cross_origin=True), Rule.PASSKEY_ORIGIN, id="in another site's frame"),
    pytest.param(Lie(challenge=b"c" * 32), Rule.PASSKEY_CHALLENGE, id="another challenge"),
    pytest.param(Lie(host="example"), Rule.PASSKEY_SIGNATURE, id="for another host"),
    pytest.param(Lie(signed_by=9), Rule.PASSKEY_SIGNATURE, id="signed by another key"),
    pytest.param(Lie(kind="webauthn.create"), Rule.PASSKEY_SIGNATURE, id="a new key, not a signature"),
    pytest.param(Lie(kind="payment.get"), Rule.PASSKEY_SIGNATURE, id="a payment"),
    pytest.param(Lie(handle=b"usr_other"), Rule.PASSKEY_FOREIGN, id="another's user handle"),
]


@pytest.mark.parametrize(("lie", "rule"), LIES)
@pytest.mark.parametrize("way", [alone, second], ids=["alone", "second"])
async def test_what_does_not_hold_signs_nobody_in(
    bench: Workbench, tab: Tab, device: PasskeyDevice, way: object, lie: Lie, rule: Rule
) -> None:
    assert callable(way)
    refused: Shown = await way(tab, device, lie)
    assert refused.status == 401
    assert 'role="alert" id="problem"' in refused.body
    assert "data-auto" not in refused.body
    assert SESSION not in tab.jar
    assert f'"rule":"{rule}"' in rules_logged(bench)
    assert sessions(bench) == []
    [passkey] = bench.record.tables.passkeys.values()
    assert passkey.used_at is None
    # The new question can be answered.
    path = ALONE if way is alone else SECOND
    sent = {"act": "passkey", "credential": device.get(options(refused))}
    assert (await tab.post(path, {**refused.fields, **sent})).location == "/account"


async def test_strangers_are_told_the_same_whatever_was_wrong(tab: Tab, device: PasskeyDevice) -> None:
    unknown = PasskeyDevice(credential_id=b"nobody's", handle=device.handle)
    told = [
        (await alone(Tab(tab.address), unknown)).body,
        (await alone(Tab(tab.address), device, Lie(signed_by=9))).body,
        (await alone(Tab(tab.address), device, Lie(handle=b"usr_other"))).body,
    ]
    said = {body[body.index('id="problem"') : body.index("<form")] for body in told}
    assert len(said) == 1


async def test_an_unknown_passkey_signs_nobody_in(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    unknown = PasskeyDevice(credential_id=b"nobody's", handle=device.handle)
    assert (await alone(tab, unknown)).status == 401
    assert f'"rule":"{Rule.PASSKEY_UNKNOWN}"' in rules_logged(bench)
    assert (await second(tab, unknown)).status == 401
    assert f'"rule":"{Rule.PASSKEY_UNKNOWN}"' in rules_logged(bench)


async def test_alone_it_must_say_whose_it_is(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    assert (await alone(tab, device, Lie(no_handle=True))).status == 401
    assert f'"rule":"{Rule.PASSKEY_FOREIGN}"' in rules_logged(bench)


async def test_alone_it_must_check_who_holds_it(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    device.flags = PRESENT
    refused = await alone(tab, device)
    assert refused.status == 401
    assert "Set up a PIN" in refused.body
    assert f'"rule":"{Rule.PASSKEY_UNVERIFIED}"' in rules_logged(bench)


async def test_another_persons_passkey_is_no_second_step(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    [held] = bench.record.tables.passkeys.values()
    theirs = PasskeyDevice(number=1, credential_id=b"theirs", handle=b"usr_other")
    shown = await tab.follow(await by_password(tab))
    row = {"credential_id": b"theirs", "subject": Subject("usr_other"), "public_key": theirs.public_key()}
    bench.record.tables.passkeys[b"theirs"] = type(held)(**{name: getattr(held, name) for name in held.__slots__} | row)
    refused = await tab.post(SECOND, {**shown.fields, "act": "passkey", "credential": theirs.get(options(shown))})
    assert refused.status == 401
    assert f'"rule":"{Rule.PASSKEY_FOREIGN}"' in rules_logged(bench)


COUNTS = [
    pytest.param(5, 6, True, id="farther"),
    pytest.param(5, 5, False, id="as far"),
    pytest.param(5, 4, False, id="back"),
    pytest.param(5, None, False, id="it counts no more"),
    pytest.param(None, 1, True, id="it begins to count"),
    pytest.param(None, None, True, id="it does not count"),
]


@pytest.mark.parametrize(("before", "now", "signs_in"), COUNTS)
@pytest.mark.parametrize("way", [alone, second], ids=["alone", "second"])
async def test_a_count_that_does_not_rise_is_a_copy(
    bench: Workbench, tab: Tab, way: object, before: int | None, now: int | None, signs_in: bool
) -> None:
    device = PasskeyDevice(count=None if before is None else before - 1)
    await enrolled(tab.address, device)
    bench.record.tables.sessions.clear()
    bench.events.clear()
    device.count = None if now is None else now - 1
    assert callable(way)
    answer: Shown = await way(tab, device)
    assert answer.status == (303 if signs_in else 401)
    if not signs_in:
        assert f'"rule":"{Rule.PASSKEY_COUNTER}"' in rules_logged(bench)
        assert sessions(bench) == []
        [passkey] = bench.record.tables.passkeys.values()
        assert passkey.sign_count == 5


async def test_a_bad_signature_does_not_look_like_a_copy(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    device.count = -1
    assert (await alone(tab, device, Lie(signed_by=9))).status == 401
    assert f'"rule":"{Rule.PASSKEY_SIGNATURE}"' in rules_logged(bench)


async def test_an_answer_counts_once(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    shown = await tab.get(ALONE)
    form = {**shown.fields, "act": "passkey", "credential": device.get(options(shown))}
    assert (await tab.post(ALONE, form)).location == "/account"
    again = await tab.post(ALONE, form)
    assert again.status == 401
    assert f'"rule":"{Rule.PASSKEY_REPLAYED}"' in rules_logged(bench)
    assert len(sessions(bench)) == 1


async def test_of_many_that_send_one_answer_one_signs_in(bench: Workbench, tab: Tab) -> None:
    device = PasskeyDevice()
    await enrolled(tab.address, device)
    shown = await tab.get(ALONE)
    form = {**shown.fields, "act": "passkey", "credential": device.get(options(shown))}
    answers = await asyncio.gather(*(tab.post(ALONE, form) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [303, 401, 401, 401, 401]


async def test_another_browsers_answer_signs_nobody_in(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    shown = await tab.get(ALONE)
    thief = Tab(tab.address)
    theirs = await thief.get(ALONE)
    form = {**theirs.fields, "ceremony": shown.fields["ceremony"], "credential": device.get(options(shown))}
    assert (await thief.post(ALONE, form)).status == 401
    assert f'"rule":"{Rule.PASSKEY_CEREMONY}"' in rules_logged(bench)


@pytest.mark.parametrize(("seconds", "status"), [(599, 303), (600, 401)])
async def test_a_question_holds_for_ten_minutes(
    bench: Workbench, tab: Tab, device: PasskeyDevice, seconds: int, status: int
) -> None:
    shown = await tab.get(ALONE)
    form = {**shown.fields, "act": "passkey", "credential": device.get(options(shown))}
    bench.clock.advance(seconds)
    answer = await tab.post(ALONE, form)
    assert answer.status == status


@pytest.mark.parametrize("ceremony", ["", "x", "x" * 5000, "\u00e4", base64url.encode(b"x" * 100)])
async def test_a_made_up_question_is_refused(bench: Workbench, tab: Tab, device: PasskeyDevice, ceremony: str) -> None:
    shown = await tab.get(ALONE)
    form = {**shown.fields, "ceremony": ceremony, "credential": device.get(options(shown))}
    assert (await tab.post(ALONE, form)).status == 401
    assert f'"rule":"{Rule.PASSKEY_CEREMONY}"' in rules_logged(bench)


async def test_the_question_of_the_second_step_signs_nobody_in_alone(
    bench: Workbench, tab: Tab, device: PasskeyDevice
) -> None:
    shown = await tab.follow(await by_password(tab))
    alone_page = await tab.get(ALONE)
    form = {**alone_page.fields, "ceremony": shown.fields["ceremony"], "credential": device.get(options(shown))}
    assert (await tab.post(ALONE, form)).status == 401
    assert f'"rule":"{Rule.PASSKEY_CEREMONY}"' in rules_logged(bench)


async def test_who_is_disabled_is_refused(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    await bench.core.accounts.disable("alice", actor="tests")
    assert (await alone(tab, device)).status == 401
    assert f'"rule":"{Rule.USER_DISABLED}"' in rules_logged(bench)


async def test_wrong_ones_are_limited(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 100/hour, login_failures_per_account: 3/hour}")
    for _ in range(3):
        assert (await alone(tab, device, Lie(signed_by=9))).status == 401
    limited = await alone(tab, device)
    assert limited.status == 429
    assert int(limited.headers["Retry-After"]) > 0
    assert f'"rule":"{Rule.RATE_LIMITED_ACCOUNT}"' in rules_logged(bench)
    # Whoever knows one passkey's name keeps its owner out by no other way.
    assert (await second(tab, device)).location == "/account"


async def test_wrong_ones_of_the_second_step_are_limited(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    bench.offer("rate_limits: {login_failures_per_ip: 100/hour, login_failures_per_account: 3/hour}")
    for _ in range(3):
        assert (await second(tab, device, Lie(signed_by=9))).status == 401
    assert (await second(tab, device)).status == 429


async def test_while_the_record_is_away_nobody_is_signed_in(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    shown = await tab.get(ALONE)
    bench.board.down = True
    form = {**shown.fields, "act": "passkey", "credential": device.get(options(shown))}
    answer = await tab.post(ALONE, form)
    assert answer.status == 503
    bench.board.down = False
    assert sessions(bench) == []


async def shop(bench: Workbench) -> None:
    await bench.client(
        "shop",
        profile=Profile.OIDC,
        auth_methods=frozenset({AuthMethod.NONE}),
        grants=frozenset({"authorization_code"}),
        scopes=frozenset({"openid"}),
        redirect_uris=(REDIRECT,),
    )


def authorize(**more: str) -> str:
    asked = {
        "client_id": "shop",
        "redirect_uri": REDIRECT,
        "response_type": "code",
        "scope": "openid",
        "code_challenge": challenge_of("v" * 43),
        "code_challenge_method": "S256",
        "prompt": "login",
        **more,
    }
    return f"/oauth/authorize?{urlencode(asked)}"


async def test_it_leads_on_to_the_application(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    await shop(bench)
    login = await tab.follow(await tab.get(authorize()))
    path = f"{ALONE}?ticket={login.fields['ticket']}"
    assert "shop" in (await tab.get(path)).body
    on = await alone(tab, device, path=path)
    assert on.location.startswith("/oauth/authorize?ticket=")
    consent = await tab.follow(on)
    assert 'name="answer"' in consent.body


async def test_cancelling_is_told_to_the_application(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    await shop(bench)
    login = await tab.follow(await tab.get(authorize()))
    shown = await tab.get(f"{ALONE}?ticket={login.fields['ticket']}")
    back = await tab.follow(await tab.post(ALONE, {**shown.fields, "act": "cancel"}))
    assert parse_qs(urlsplit(back.location).query)["error"] == ["access_denied"]


async def test_who_has_no_second_factor_adds_a_passkey_where_one_is_asked_for(bench: Workbench, tab: Tab) -> None:
    await shop(bench)
    login = await tab.follow(await tab.get(authorize(acr_values=ACR_TWO_FACTORS)))
    form = {**login.fields, "username": "alice", "password": "correct horse battery"}
    offered = await tab.follow(await tab.post("/login", form))
    assert f'href="{PASSKEYS}?ticket={offered.fields["ticket"]}"' in offered.body
    assert [one.acr for one in sessions(bench)] == [ACR_ONE_FACTOR]
    shown = await tab.get(f"{PASSKEYS}?ticket={offered.fields['ticket']}")
    assert "Cancel" in shown.body
    sent = {"act": "add", "name": "x", "credential": PasskeyDevice().create(options(shown))}
    done = await tab.post(PASSKEYS, {**shown.fields, **sent})
    assert 'href="/oauth/authorize?ticket=' in done.body
    assert [one.acr for one in sessions(bench)] == [ACR_TWO_FACTORS]
    denied = await tab.follow(await tab.post(PASSKEYS, {**shown.fields, "act": "cancel"}))
    assert parse_qs(urlsplit(denied.location).query)["error"] == ["access_denied"]


async def test_a_passkey_counts_as_lately(bench: Workbench, tab: Tab, device: PasskeyDevice) -> None:
    await alone(tab, device)
    bench.clock.advance(timedelta(minutes=6).total_seconds())
    asked = await tab.get(PASSKEYS)
    assert asked.location.startswith("/login?ticket=")
    ticket = parse_qs(urlsplit(asked.location).query)["ticket"][0]
    assert (await alone(tab, device, path=f"{ALONE}?ticket={ticket}")).location == PASSKEYS
    assert (await tab.get(PASSKEYS)).status == 200
    assert len(sessions(bench)) == 1


async def test_an_issuer_without_a_name_offers_none(bench: Workbench) -> None:
    numbered = Workbench(bench.hashing, ISSUER="https://192.0.2.1")
    await numbered.start()
    listener = await Listener(numbered.service.public, "127.0.0.1", 0).open()
    tab = Tab(f"http://127.0.0.1:{listener.port}")
    try:
        assert ALONE not in (await tab.get("/login")).body
        assert (await tab.get(ALONE)).location.startswith("/login?ticket=")
        await by_password(tab)
        shown = await tab.get(PASSKEYS)
        assert "data-options" not in shown.body
        assert "reached by a number" in shown.body
    finally:
        await listener.runner.cleanup()
