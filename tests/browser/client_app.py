"""A small application that people sign in to: code and PKCE, as a web application does it."""

import base64
import json
import secrets
import ssl
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

import aiohttp
from aiohttp import web

from authcenter.proofs.pkce import challenge_of

_HTML = "<!doctype html><html lang=en><title>Application</title><h1>Application</h1><p id=outcome>{}</p>"

_LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">'
    '<rect width="9" height="9" rx="2" fill="#d1242f"/><circle cx="4.5" cy="4.5" r="2" fill="#fff"/></svg>'
)


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that is under way."""

    client_id: str
    verifier: str
    nonce: str


@dataclass(slots=True)
class ClientApp:
    """Listens at an origin of its own.

    Attributes:
        url: Its origin, once it is open.
        answers: What the authorization endpoint told it, the newest last.
        tokens: What it got for codes, the newest last.
        framed: What its front-channel page was loaded with, the newest last.
        frames: The page that its ``/frame`` tries to frame.
    """

    issuer: str
    server_tls: ssl.SSLContext | None = None
    client_tls: ssl.SSLContext | bool = True
    url: str = ""
    answers: list[dict[str, str]] = field(default_factory=list)
    tokens: list[dict[str, Any]] = field(default_factory=list)
    framed: list[dict[str, str]] = field(default_factory=list)
    frames: str = ""
    form: tuple[str, dict[str, str]] = ("", {})
    _flows: dict[str, Flow] = field(default_factory=dict)
    _sessions: dict[tuple[str, str], str] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    async def open(self) -> "ClientApp":
        app = web.Application()
        app.router.add_get("/cb", self._callback)
        app.router.add_post("/cb", self._callback)
        app.router.add_get("/home/{client_id}", self._home)
        app.router.add_get("/frame", self._frame)
        app.router.add_get("/form", self._form)
        app.router.add_get("/logo.svg", self._logo)
        app.router.add_post("/back/{client_id}", self._back_channel)
        app.router.add_get("/front", self._front_channel)
        app.router.add_get("/bye", self._bye)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self.server_tls).start()
        scheme = "https" if self.server_tls else "http"
        self.url = f"{scheme}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def start(self, client_id: str, /, **parameters: str) -> str:
        """Where it sends a browser to sign in."""
        state, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        self._flows[state] = Flow(client_id, verifier, nonce)
        asked = {
            "client_id": client_id,
            "redirect_uri": f"{self.url}/cb",
            "response_type": "code",
            "scope": "openid email",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge_of(verifier),
            "code_challenge_method": "S256",
            **parameters,
        }
        return f"{self.issuer}/oauth/authorize?{urlencode(asked)}"

    async def _callback(self, request: web.Request) -> web.Response:
        told = dict(await request.post() if request.method == "POST" else request.query)
        answer = {name: str(value) for name, value in told.items()}
        self.answers.append(answer)
        flow = self._flows.pop(answer.get("state", ""), None)
        if flow is None or answer.get("iss") != self.issuer:
            return _page("no sign-in of ours")
        if "error" in answer:
            return _page(f"error {answer['error']}")
        tokens = await self._redeem(answer["code"], flow)
        self.tokens.append(tokens)
        claims = _payload(tokens["id_token"])
        assert claims["nonce"] == flow.nonce
        self._sessions[flow.client_id, claims["sid"]] = claims["sub"]
        page = _page(f"welcome {claims['sub']}")
        page.set_cookie("session", claims["sid"], httponly=True, path=f"/home/{flow.client_id}")
        return page

    async def _redeem(self, code: str, flow: Flow) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "client_id": flow.client_id,
            "code": code,
            "redirect_uri": f"{self.url}/cb",
            "code_verifier": flow.verifier,
        }
        status, tokens = await self.ask("/oauth/token", form)
        assert status == 200, tokens
        return tokens

    def claims(self) -> dict[str, Any]:
        """Of the newest ID token."""
        return _payload(self.tokens[-1]["id_token"])

    async def ask(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Call the server, as a client does behind its pages: the status and the JSON."""
        async with (
            aiohttp.ClientSession() as session,
            session.post(self.issuer + path, data=form, ssl=self.client_tls) as answer,
        ):
            return answer.status, await answer.json()

    async def _home(self, request: web.Request) -> web.Response:
        """Where a client's own session counts, whatever the server thinks of its."""
        client_id = request.match_info["client_id"]
        who = self._sessions.get((client_id, request.cookies.get("session", "")))
        return _page(f"signed in as {who}" if who else "signed in as nobody")

    async def _back_channel(self, request: web.Request) -> web.Response:
        claims = _payload(str((await request.post())["logout_token"]))
        client_id = request.match_info["client_id"]
        assert (claims["aud"], claims["iss"]) == (client_id, self.issuer)
        self._sessions.pop((client_id, claims["sid"]), None)
        return web.Response()

    async def _front_channel(self, request: web.Request) -> web.Response:
        self.framed.append(dict(request.query))
        return _page("signed out here, too")

    async def _bye(self, _: web.Request) -> web.Response:
        return _page("bye")

    async def _frame(self, _: web.Request) -> web.Response:
        text = f'<!doctype html><title>Trap</title><iframe id=trap src="{escape(self.frames)}"></iframe>'
        return web.Response(text=text, content_type="text/html")

    async def _form(self, _: web.Request) -> web.Response:
        """Another site's form, as an attacker writes it."""
        action, values = self.form
        fields = "".join(f'<input type=hidden name="{escape(k)}" value="{escape(v)}">' for k, v in values.items())
        text = (
            f'<!doctype html><title>Trap</title><form method=post action="{escape(action)}">{fields}<button>Win</form>'
        )
        return web.Response(text=text, content_type="text/html")

    async def _logo(self, _: web.Request) -> web.Response:
        return web.Response(text=_LOGO, content_type="image/svg+xml")


def _page(text: str) -> web.Response:
    return web.Response(text=_HTML.format(escape(text)), content_type="text/html")


def _payload(token: str) -> dict[str, Any]:
    """The claims, unverified: it has just come from the token endpoint itself."""
    middle = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    return claims
