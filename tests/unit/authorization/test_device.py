"""Device authorization (RFC 8628): a device that asks, a person with a phone, and those who would like to be either."""

import html
import json
import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from yarl import URL

from authcenter.core.client import AuthMethod, Profile
from authcenter.core.device import DEVICE_CODE_GRANT
from authcenter.core.relying_party import RelyingParty
from authcenter.core.rules import Rule
from authcenter.core.secret import Secret
from authcenter.jose.algorithms import Alg
from authcenter.tokens.device_codes import ALPHABET
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
