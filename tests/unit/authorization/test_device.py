"""Device authorization (RFC 8628): a device that asks, a person with a phone, and those who would like to be either."""

import asyncio
import html
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.core.errors import ErrorCode, OAuthError
from authcenter.core.relying_party import RelyingParty
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.jose.algorithms import Alg
from authcenter.tokens.device_codes import ALPHABET, UserCodeDigests, read_user_code
from tests.workbench import API, ISSUER, OTHER_API, PASSWORD, Workbench, decoded, refused, stored_key

ENDPOINT = "/oauth/device_authorization"
SESSION = "__Host-authcenter_session"
ADDRESS = "127.0.0.1"


class Phone:
    """A browser that fills in forms. It follows no redirects by itself."""

    def __init__(self, bench: Workbench, address: str) -> None:
        self.bench, self.address = bench, address
        self.jar: dict[str, str] = {}
        self.status, self.headers, self.body, self.location = 0, dict[str, str](), "", ""

    async def go(self, path: str, method: str = "GET", **options: Any) -> "Phone":
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.jar.items())} if self.jar else {}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.request(
                method, URL(self.address + path, encoded=True), allow_redirects=False, headers=headers, **options
            ) as answer,
        ):
            self.status, self.headers, self.body = answer.status, dict(answer.headers), await answer.text()
            self.location = answer.headers.get("Location", "")
        for line in answer.headers.getall("Set-Cookie", ()):
            name, _, value = line.partition(";")[0].partition("=")
            self.jar[name] = value
        return self

    async def follow(self) -> "Phone":
        while self.location:
            await self.go(self.location)
        return self

    @property
    def fields(self) -> dict[str, str]:
        """The hidden fields of the last form of the page."""
        pairs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', self.body)
        return {name: html.unescape(value) for name, value in pairs}

    async def send(self, path: str = "/device", **values: str) -> "Phone":
        return await self.go(path, "POST", data={**self.fields, **values})

    async def type_code(self, code: str) -> "Phone":
        await self.go("/device")
        return await self.send(user_code=code)

    async def sign_in(self, username: str = "alice") -> "Phone":
        if not urlsplit(self.location).path.startswith("/login"):
            await self.go("/login")
        else:
            await self.go(self.location)
        return await self.send("/login", username=username, password=PASSWORD, act="login")

    @property
    def shows(self) -> str:
        """Which page it is on."""
        title = re.search(r"<title>(.*?) \u2013 ", self.body)
        return html.unescape(title[1]) if title else ""


@pytest.fixture
async def shop(bench: Workbench) -> Workbench:
    scopes = frozenset({"openid", "email", "offline_access", "read"})
    grants = {
        "grants": frozenset({DEVICE_CODE_GRANT, "refresh_token"}),
        "scopes": scopes,
        "audiences": (API, OTHER_API),
    }
    public = {**grants, "auth_methods": frozenset({AuthMethod.NONE})}
    await bench.client("tv", name="Tele <Vision>", **public)
    await bench.client("radio", **public)
    await bench.client("box", **grants)
    await bench.client("rp", profile=Profile.OIDC, **grants)
    await bench.client("ours", first_party=True, **grants)
    party = RelyingParty(subject_type="pairwise", sector="shop.example")
    await bench.client("pair", relying_party=party, redirect_uris=("https://shop.example/cb",), **grants)
    await bench.core.accounts.create("bob", "bob@example.com", Secret(PASSWORD), [], actor="tests")
    key = stored_key(Alg.RS256)
    bench.record.tables.keys[key.kid] = key
    bench.core.keys._rows = []
    await bench.core.keys.reload()
    bench.events.clear()
    return bench


@pytest.fixture
def phone(shop: Workbench, web: aiohttp.ClientSession) -> Phone:
    return Phone(shop, str(web._base_url).rstrip("/"))


async def begin(phone: Phone, client: str = "tv", **parameters: str) -> dict[str, Any]:
    """What a device is given."""
    secret = phone.bench.secrets.get(client)
    sent = {"client_id": client, "scope": "openid email", **({"client_secret": secret} if secret else {}), **parameters}
    device = Phone(phone.bench, phone.address)
    await device.go(ENDPOINT, "POST", data={name: value for name, value in sent.items() if value})
    assert device.headers["Cache-Control"] == "no-store"
    return {"status": device.status, **json.loads(device.body)}


async def poll(phone: Phone, codes: dict[str, Any], client: str = "tv", **changes: Any) -> Any:
    return await phone.bench.ask(DEVICE_CODE_GRANT, client=client, device_code=codes["device_code"], **changes)


async def approve(phone: Phone, codes: dict[str, Any], answer: str = "allow") -> None:
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    await phone.send(answer=answer)


async def test_a_device_is_connected_from_a_phone(phone: Phone) -> None:
    codes = await begin(phone)
    assert codes["status"] == 200
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", codes["user_code"])
    assert codes["verification_uri"] == f"{ISSUER}/device"
    assert codes["verification_uri_complete"] == f"{ISSUER}/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)

    await phone.go(urlsplit(codes["verification_uri_complete"]).path + f"?user_code={codes['user_code']}")
    assert (phone.status, phone.shows) == (200, "Connect a device")
    assert f'value="{codes["user_code"]}"' in phone.body
    await phone.send(user_code=codes["user_code"])
    await phone.follow()
    assert phone.shows == "Sign in"
    await phone.send("/login", username="alice", password=PASSWORD, act="login")
    await phone.follow()
    assert phone.shows == "Tele <Vision> on a device asks for access"
    assert "Tele <Vision>" not in phone.body
    for told in (codes["user_code"], "started this yourself", "see your e-mail address", "alice"):
        assert told in phone.body
    await phone.send(answer="allow")
    assert (phone.status, phone.shows) == (200, "Your device is connected")
    assert phone.bench.kinds()[-2:] == ["consent.granted", "device.answered"]

    tokens = await poll(phone, codes, after=timedelta(seconds=5))
    assert tokens.claims["sub"] == phone.bench.alice.subject
    assert tokens.claims["client_id"] == "tv"
    assert tokens.claims["aud"] == [API, ISSUER]
    said = json.loads(decoded(tokens.members["id_token"].split(".")[1]))
    assert (said["aud"], said["sid"], said["amr"]) == ("tv", tokens.claims["sid"], ["pwd"])
    assert "nonce" not in said
    assert (await phone.bench.refresh(tokens.refresh, client="tv")).claims["fam"] == tokens.claims["fam"]
    assert phone.bench.record.tables.session_clients.keys() == {(said["sid"], "tv")}


@pytest.mark.parametrize(
    ("client", "parameters", "error"),
    [
        pytest.param("nobody", {}, "invalid_client", id="unknown client"),
        pytest.param("box", {"client_secret": ""}, "invalid_client", id="no secret"),
        pytest.param("box", {"client_secret": "wrong"}, "invalid_client", id="wrong secret"),
        pytest.param("app", {"scope": "read"}, "unauthorized_client", id="another client's grant"),
        pytest.param("tv", {"scope": "openid admin"}, "invalid_scope", id="scope of somebody else"),
        pytest.param("tv", {"scope": 'a"b'}, "invalid_scope", id="malformed scope"),
        pytest.param("tv", {"resource": "https://evil.example"}, "invalid_target", id="foreign resource"),
    ],
)
async def test_what_a_device_may_not_ask_for(phone: Phone, client: str, parameters: dict[str, str], error: str) -> None:
    told = await begin(phone, client, **parameters)
    assert (told["status"], told["error"]) == (401 if error == "invalid_client" else 400, error)
    assert phone.bench.record.tables.devices == {}


async def test_a_client_without_audiences_gets_its_scope_for_this_server(phone: Phone) -> None:
    grants = frozenset({DEVICE_CODE_GRANT})
    await phone.bench.client("bare", grants=grants, auth_methods=frozenset({AuthMethod.NONE}))
    codes = await begin(phone, "bare", scope="read")
    await approve(phone, codes)
    claims = (await poll(phone, codes, client="bare")).claims
    assert (claims["aud"], claims["scope"]) == (ISSUER, "read")


async def test_requests_count_like_those_of_the_token_endpoint(phone: Phone) -> None:
    phone.bench.offer("rate_limits: {token_per_client: 2/minute}")
    assert [(await begin(phone, "box"))["status"] for _ in range(3)] == [200, 200, 429]


async def test_the_record_holds_neither_code(phone: Phone) -> None:
    codes = await begin(phone)
    held = repr(phone.bench.record.tables.devices)
    assert codes["device_code"] not in held
    assert codes["user_code"] not in held
    assert codes["user_code"].replace("-", "") not in held


async def test_a_device_that_does_not_wait_is_slowed_down(phone: Phone) -> None:
    codes = await begin(phone)
    for seconds, rule in ((0, Rule.DEVICE_PENDING), (4, Rule.DEVICE_SLOW_DOWN), (9, Rule.DEVICE_SLOW_DOWN)):
        with refused(rule):
            await poll(phone, codes, after=timedelta(seconds=seconds))
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes, after=timedelta(seconds=15))
    # Nobody has to wait for what is there.
    await approve(phone, codes)
    assert (await poll(phone, codes)).access


@pytest.mark.parametrize(
    ("act", "code", "rule"),
    [
        pytest.param("deny", ErrorCode.ACCESS_DENIED, Rule.CONSENT_DENIED, id="denied"),
        pytest.param("", ErrorCode.EXPIRED_TOKEN, Rule.DEVICE_CODE_EXPIRED, id="nobody answered in time"),
        pytest.param("allow", ErrorCode.EXPIRED_TOKEN, Rule.DEVICE_CODE_EXPIRED, id="approved, but fetched too late"),
    ],
)
async def test_a_device_learns_that_it_gets_nothing(phone: Phone, act: str, code: ErrorCode, rule: Rule) -> None:
    codes = await begin(phone)
    if act:
        await approve(phone, codes, act)
    after = timedelta(0 if act == "deny" else 600)
    with pytest.raises(OAuthError) as caught:
        await poll(phone, codes, after=after)
    assert (caught.value.code, caught.value.rule) == (code, rule)
    assert phone.bench.record.tables.families == {}
    assert (len(phone.bench.record.tables.consents) == 1) is (act == "allow")


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("", Rule.PARAMETER_MISSING),
        ("adc_short", Rule.DEVICE_CODE_MALFORMED),
        (f"adc_{'A' * 43}", Rule.DEVICE_CODE_UNKNOWN),
    ],
)
async def test_what_is_no_device_code(phone: Phone, code: str, rule: Rule) -> None:
    with refused(rule):
        await poll(phone, {"device_code": code})


async def test_of_fifty_polls_at_once_one_wins_and_what_it_made_is_ended(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    answers = await asyncio.gather(*(poll(phone, codes) for _ in range(50)), return_exceptions=True)
    won = [answer for answer in answers if not isinstance(answer, BaseException)]
    lost = {answer.rule for answer in answers if isinstance(answer, OAuthError)}
    assert len(won) == 1
    assert lost == {Rule.DEVICE_CODE_REPLAYED}
    assert phone.bench.ended(won[0].refresh)
    assert not await phone.bench.active(won[0].access, "app")
    assert phone.bench.kinds().count("code.replayed") == 1


async def test_a_second_use_ends_what_the_first_made_however_late(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    tokens = await poll(phone, codes)
    with refused(Rule.DEVICE_CODE_REPLAYED):
        await poll(phone, codes, after=timedelta(hours=5))
    assert phone.bench.ended(tokens.refresh)


async def test_another_client_can_neither_fetch_nor_disturb(phone: Phone) -> None:
    codes = await begin(phone)
    for _ in range(3):
        with refused(Rule.DEVICE_CODE_FOREIGN):
            await poll(phone, codes, client="radio")
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)
    await approve(phone, codes)
    with refused(Rule.DEVICE_CODE_FOREIGN):
        await poll(phone, codes, client="radio")
    tokens = await poll(phone, codes)
    with refused(Rule.DEVICE_CODE_FOREIGN):
        await poll(phone, codes, client="radio")
    assert not phone.bench.ended(tokens.refresh)


async def test_whose_session_ended_before_the_device_asked_gives_it_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    phone.bench.clock.advance(1)
    await phone.bench.core.accounts.logout("alice", actor="tests")
    await phone.bench.follow()
    with refused(Rule.DEVICE_CODE_CUT):
        await poll(phone, codes, after=timedelta(seconds=5))


async def test_whoever_has_been_disabled_gives_it_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await approve(phone, codes)
    await phone.bench.core.accounts.disable("alice", actor="tests")
    phone.bench.clock.advance(100)
    with pytest.raises(OAuthError) as caught:
        await poll(phone, codes)
    assert caught.value.code is ErrorCode.INVALID_GRANT


@pytest.mark.parametrize(
    ("client", "scope", "refreshable"),
    [("rp", "openid", False), ("rp", "openid offline_access", True), ("box", "read", True)],
)
async def test_a_refresh_token_goes_with_it_as_the_profile_says(
    phone: Phone, client: str, scope: str, refreshable: bool
) -> None:
    codes = await begin(phone, client, scope=scope)
    await approve(phone, codes)
    tokens = await poll(phone, codes, client=client)
    assert ("refresh_token" in tokens.members) is refreshable
    assert ("id_token" in tokens.members) is ("openid" in scope)


async def test_a_pairwise_client_meets_its_own_name(phone: Phone) -> None:
    codes = await begin(phone, "pair")
    await approve(phone, codes)
    assert (await poll(phone, codes, client="pair")).claims["sub"].startswith("pws_")


async def test_one_resource_of_those_approved_can_be_picked(phone: Phone) -> None:
    codes = await begin(phone, scope="read", resource=OTHER_API)
    await approve(phone, codes)
    with refused(Rule.RESOURCE_EXCEEDS_GRANT):
        await poll(phone, codes, resource=API)
    assert (await poll(phone, codes, resource=OTHER_API)).claims["aud"] == OTHER_API


@pytest.mark.parametrize("typed", ["{lower}", "{bare}", " {spaced} ", "{dots}", "{long_dash}"])
async def test_codes_are_taken_as_people_type_them(phone: Phone, typed: str) -> None:
    code = (await begin(phone))["user_code"]
    first, second = code.split("-")
    forms = {
        "lower": code.lower(),
        "bare": first + second,
        "spaced": " ".join(code.replace("-", "")),
        "dots": f"{first}.{second}",
        "long_dash": f"{first} \u2013 {second}",
    }
    await phone.sign_in()
    await (await phone.type_code(typed.format(**forms))).follow()
    assert "asks for access" in phone.shows


@pytest.mark.parametrize("typed", ["", "BCDF", "BCDF-GHJK-L", "BCDFGHJ1", "BCDF-GHJA", "B" * 100_000])
def test_what_is_no_user_code(typed: str) -> None:
    assert read_user_code(typed) is None


def test_a_user_code_made_under_an_older_root_is_still_found() -> None:
    old, new = b"o" * 32, b"n" * 32
    assert UserCodeDigests.derive([old]).make("BCDF-GHJK") in UserCodeDigests.derive([new, old]).all("BCDF-GHJK")


@pytest.mark.parametrize("kind", ["never given", "lapsed", "used", "answered"])
async def test_wrong_used_and_lapsed_codes_are_told_the_same(phone: Phone, kind: str) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    code = codes["user_code"]
    if kind == "never given":
        code = "BBBB-BBBB" if code != "BBBB-BBBB" else "CCCC-CCCC"
    elif kind == "lapsed":
        phone.bench.clock.advance(600)
    else:
        await approve(phone, codes)
        if kind == "used":
            await poll(phone, codes)
    await (await phone.type_code(code)).follow()
    assert (phone.status, phone.shows) == (400, "Connect a device")
    assert "This code is not valid." in phone.body
    page = re.sub(r'value="[^"]*"', "", phone.body)
    await phone.type_code("no code at all")
    assert re.sub(r'value="[^"]*"', "", phone.body) == page


async def test_who_is_not_signed_in_learns_nothing_of_a_code(phone: Phone) -> None:
    right = (await begin(phone))["user_code"]
    phone.bench.board.asked.clear()
    for code in (right, "BBBB-BBBB"):
        await phone.type_code(code)
        await phone.go(phone.location)
        assert urlsplit(phone.location).path == "/login"
    assert [one for one in phone.bench.board.asked if one.startswith("device_codes")] == []


async def test_guesses_are_limited_by_person_and_by_address(phone: Phone) -> None:
    phone.bench.offer("rate_limits: {login_failures_per_ip: 9/hour, login_failures_per_account: 4/hour}")
    right = (await begin(phone))["user_code"]
    guesses = [f"BBBB-BBB{letter}" for letter in ALPHABET]

    async def outcomes(name: str, many: int) -> list[int]:
        other = Phone(phone.bench, phone.address)
        await other.sign_in(name)
        statuses = []
        for guess in [*guesses[: many - 1], right]:
            await (await other.type_code(guess)).follow()
            statuses.append(other.status)
        if statuses[-1] == 429:
            assert int(other.headers["Retry-After"]) > 0
            assert "Too many tries" in other.body
        return statuses

    assert await outcomes("bob", 4) == [400, 400, 400, 200]
    assert await outcomes("bob", 3) == [400, 429, 429]
    assert await outcomes("alice", 5) == [400, 400, 400, 400, 429]
    # Slots of failed logins are others: whoever mistyped codes could sign in all the same.
    assert phone.bench.counted("rate_limited_total", rule="rate_limited_account") == 3
    phone.bench.clock.advance(3600)
    right = (await begin(phone))["user_code"]
    assert await outcomes("alice", 1) == [200]


async def test_right_codes_cost_no_slot(phone: Phone) -> None:
    phone.bench.offer("rate_limits: {login_failures_per_account: 1/hour}")
    code = (await begin(phone))["user_code"]
    await phone.sign_in()
    for _ in range(4):
        await (await phone.type_code(code)).follow()
        assert phone.status == 200


async def test_a_link_alone_approves_nothing(phone: Phone) -> None:
    codes = await begin(phone, "ours")
    await phone.sign_in()
    await phone.go(f"/device?user_code={codes['user_code']}")
    assert phone.shows == "Connect a device"
    await (await phone.send(user_code=codes["user_code"])).follow()
    assert "asks for access" in phone.shows
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes, client="ours")


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        pytest.param({"csrf": ""}, {}, id="no token"),
        pytest.param({"csrf": "0" * 73}, {}, id="another token"),
        pytest.param({}, {"Origin": "https://evil.example"}, id="another site"),
        pytest.param({}, {"Sec-Fetch-Site": "cross-site"}, id="another site, as the browser says"),
    ],
)
async def test_another_site_can_neither_enter_a_code_nor_answer(
    phone: Phone, fields: dict[str, str], headers: dict[str, str]
) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    good = phone.fields
    for sent in ({"answer": "allow"}, {"user_code": codes["user_code"]}):
        cookies = {"Cookie": "; ".join(f"{name}={value}" for name, value in phone.jar.items())}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), headers=headers | cookies) as session,
            session.post(f"{phone.address}/device", data={**good, **sent, **fields}, allow_redirects=False) as answer,
        ):
            assert answer.status == 403
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)


async def test_the_answer_is_of_the_person_whom_the_page_asked(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    asked = phone.fields
    await phone.sign_in("bob")
    await phone.go("/device", "POST", data={**asked, "answer": "allow"})
    assert phone.status == 303
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)
    await phone.follow()
    assert "You are signed in as bob." in phone.body
    await phone.send(answer="allow")
    assert (await poll(phone, codes, after=timedelta(seconds=5))).claims["sub"] != phone.bench.alice.subject


async def test_who_has_signed_out_meanwhile_is_asked_to_sign_in(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    del phone.jar[SESSION]
    await phone.send(answer="allow")
    await phone.follow()
    assert phone.shows == "Sign in"


async def test_the_ticket_of_another_browser_or_another_purpose_is_worth_nothing(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.type_code(codes["user_code"])
    ticket = parse_qs(urlsplit(phone.location).query)["ticket"][0]
    other = Phone(phone.bench, phone.address)
    await other.sign_in()
    await other.go(f"/device?ticket={ticket}")
    assert other.status == 400
    await other.go("/login")
    await other.go(f"/device?ticket={other.fields['ticket']}")
    assert other.status == 400


async def test_answering_twice_is_told_like_a_used_code(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    again = {**phone.fields, "answer": "deny"}
    await phone.send(answer="allow")
    await phone.go("/device", "POST", data=again)
    assert phone.status == 400
    assert (await poll(phone, codes)).access


async def test_pages_are_for_phones_and_nobody_frames_or_keeps_them(phone: Phone) -> None:
    await phone.go("/device?user_code=%3Cscript%3E")
    assert "width=device-width" in phone.body
    assert "<script" not in phone.body
    assert phone.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in phone.headers["Content-Security-Policy"]
    assert "script-src" not in phone.headers["Content-Security-Policy"]


async def test_in_german(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    ticket = phone.fields["ticket"]
    headers = {"Accept-Language": "de", "Cookie": "; ".join(f"{name}={value}" for name, value in phone.jar.items())}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(URL(f"{phone.address}/device?ticket={ticket}", encoded=True)) as answer,
    ):
        assert "lehnen Sie ab" in await answer.text()


async def test_the_link_as_a_qr_code(phone: Phone) -> None:
    await phone.go("/device/qr.svg?user_code=bcdfghjk")
    assert (phone.status, phone.headers["Content-Type"]) == (200, "image/svg+xml")
    assert phone.headers["Cache-Control"] == "no-store"
    assert phone.body.startswith("<svg ")
    drawn = phone.body
    assert (await phone.go("/device/qr.svg?user_code=BCDF-GHJK")).body == drawn
    assert (await phone.go("/device/qr.svg?user_code=BCDF-GHJL")).body != drawn
    for query in ("", "?user_code=", "?user_code=%3Csvg%3E"):
        assert (await phone.go(f"/device/qr.svg{query}")).status == 400
    assert [one for one in phone.bench.board.asked if one.startswith("device_codes")] == []


async def test_while_the_record_is_gone_everybody_is_asked_to_come_back(phone: Phone) -> None:
    codes = await begin(phone)
    await phone.sign_in()
    await (await phone.type_code(codes["user_code"])).follow()
    form = {**phone.fields, "answer": "allow"}
    phone.bench.board.down = True
    told = await begin(phone)
    assert (told["status"], told["error"]) == (503, "temporarily_unavailable")
    await phone.go("/device", "POST", data=form)
    assert phone.status == 503
    assert phone.headers["Retry-After"]
    assert phone.headers["Content-Type"].startswith("text/html")
    device = Phone(phone.bench, phone.address)
    asked = {"grant_type": DEVICE_CODE_GRANT, "client_id": "tv", "device_code": codes["device_code"]}
    await device.go("/oauth/token", "POST", data=asked)
    assert (device.status, device.headers["Retry-After"]) == (503, "1")
    phone.bench.board.down = False
    await phone.go("/device", "POST", data=form)
    assert (await poll(phone, codes)).access


async def test_polls_are_told_in_the_words_of_the_rfc(phone: Phone) -> None:
    codes = await begin(phone)
    asked = {"grant_type": DEVICE_CODE_GRANT, "client_id": "tv", "device_code": codes["device_code"]}
    told = []
    for _ in range(2):
        await phone.go("/oauth/token", "POST", data=asked)
        told.append((phone.status, json.loads(phone.body)["error"]))
    assert told == [(400, "authorization_pending"), (400, "slow_down")]


async def test_a_poll_is_one_statement(phone: Phone) -> None:
    codes = await begin(phone)
    phone.bench.board.asked.clear()
    with refused(Rule.DEVICE_PENDING):
        await poll(phone, codes)
    assert phone.bench.board.asked == ["device_codes.poll"]


async def test_discovery_announces_it(phone: Phone) -> None:
    await phone.go("/.well-known/oauth-authorization-server")
    document = json.loads(phone.body)
    assert document["device_authorization_endpoint"] == ISSUER + ENDPOINT
    assert DEVICE_CODE_GRANT in document["grant_types_supported"]
