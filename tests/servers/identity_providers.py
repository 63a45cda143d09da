"""Stand-ins for identity providers, in the shapes that OpenID Connect, Google and GitHub document. They lie if told to.

They let in whoever comes, at once, as ``person``, and check what a client sends them as the real ones do: client,
secret, redirect URI, PKCE, one use of a code.
"""

import json
import secrets
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_plus, urlencode

from aiohttp import web

from authcenter.core import base64url
from authcenter.jose.algorithms import ALGORITHMS, Alg
from authcenter.jose.jwk import signature_jwk
from authcenter.jose.jws import write_object
from authcenter.proofs.pkce import challenge_of

CLIENT_ID, CLIENT_SECRET = "client-at-the-provider", "s3cret: with/ odd+characters"
PERSON = {"sub": "248289761001", "email": "ada@example.org", "email_verified": True, "name": "Ada Lovelace"}


@dataclass(slots=True)
class StandIn:
    """One provider.

    Attributes:
        seconds: Its clock.
        person: Who signs in there: the claims of an OpenID provider, the members of GitHub's ``/user`` otherwise.
        back: Changes what it sends back through the browser; None takes a parameter out.
        tokens: Changes the answer of its token endpoint; ``claims``: those of the ID token; ``header``: its header.
        metadata: Changes its discovery document.
        answers: By path, what it answers instead: a status and a body.
        asked: The authorization requests it had; ``redeemed``: the forms at its token endpoint.
    """

    seconds: Callable[[], float]
    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(PERSON))
    back: dict[str, str | None] = field(default_factory=dict)
    tokens: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    redeemed: list[dict[str, str]] = field(default_factory=list)
    hits: list[str] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: Any = field(default_factory=ALGORITHMS[Alg.ES256].generate)

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def authorize(self, asked: dict[str, str]) -> str:
        """Let the person in: where the browser goes then."""
        self.asked.append(asked)
        code = secrets.token_urlsafe(16)
        self.codes[code] = asked
        answered = {"code": code, "state": asked["state"], **self.said_back(), **self.back}
        said = {name: value for name, value in answered.items() if value is not None}
        return f"{asked['redirect_uri']}?{urlencode(said)}"

    def said_back(self) -> dict[str, str]:
        return {}

    async def _authorize(self, request: web.Request) -> web.Response:
        assert request.query["client_id"] == CLIENT_ID
        return web.Response(status=302, headers={"Location": self.authorize(dict(request.query))})

    def refusal(self, form: dict[str, str]) -> str | None:
        """Why a code is worth nothing."""
        asked = self.codes.pop(form.get("code", ""), None)
        if asked is None or asked["redirect_uri"] != form.get("redirect_uri"):
            return "invalid_grant"
        matches = challenge_of(form.get("code_verifier", "")) == asked["code_challenge"]
        return None if matches else "invalid_grant"

    @web.middleware
    async def _instead(self, request: web.Request, handler: Any) -> web.StreamResponse:
        self.hits.append(request.path)
        if request.path in self.answers:
            status, body = self.answers[request.path]
            return web.Response(status=status, body=body, headers={"Location": f"{self.url}/elsewhere"})
        answer: web.StreamResponse = await handler(request)
        return answer


@dataclass(slots=True)
class OpenIdStandIn(StandIn):
    """An OpenID provider of Google's paths; ``google`` has it speak as Google does.

    Attributes:
        posted: Whether clients must send their secret in the form.
    """

    google: bool = False
    posted: bool = False

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/.well-known/openid-configuration", self._metadata),
            web.get("/o/oauth2/v2/auth", self._authorize),
            web.post("/token", self._token),
            web.get("/oauth2/v3/certs", self._certs),
            web.get("/v1/userinfo", self._user_info),
        ]

    def said_back(self) -> dict[str, str]:
        return {"scope": "openid email profile", "authuser": "0"} if self.google else {"iss": self.url}

    async def _metadata(self, _: web.Request) -> web.Response:
        document = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/o/oauth2/v2/auth",
            "token_endpoint": f"{self.url}/token",
            "userinfo_endpoint": f"{self.url}/v1/userinfo",
            "jwks_uri": f"{self.url}/oauth2/v3/certs",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": not self.google,
            "token_endpoint_auth_methods_supported": ["client_secret_post"] if self.posted else ["client_secret_basic"],
        }
        return web.json_response({**document, **self.metadata})

    async def _certs(self, _: web.Request) -> web.Response:
        return web.json_response(self.key_set())

    def key_set(self) -> dict[str, Any]:
        return {"keys": [signature_jwk(self.key.public_key(), Alg.ES256)]}

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.redeemed.append(form)
        if not self._is_our_client(request, form):
            return web.json_response({"error": "invalid_client"}, status=401)
        asked = self.codes.get(form.get("code", ""), {})
        if (refused := self.refusal(form)) is not None:
            return web.json_response({"error": refused}, status=400)
        tokens = {
            "access_token": "the-access-token",
            "expires_in": 3599,
            "scope": asked["scope"],
            "token_type": "Bearer",
            "id_token": self._id_token(asked),
        }
        return web.json_response({**tokens, **self.tokens})

    def _is_our_client(self, request: web.Request, form: dict[str, str]) -> bool:
        if self.posted:
            return (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        name, _, pair = request.headers.get("Authorization", "").partition(" ")
        client_id, _, secret = b64decode(pair).decode().partition(":")
        return name == "Basic" and (unquote_plus(client_id), unquote_plus(secret)) == (CLIENT_ID, CLIENT_SECRET)

    def _id_token(self, asked: dict[str, str]) -> str:
        now = int(self.seconds())
        claims: dict[str, Any] = {
            "iss": self.url.partition("://")[2] if self.google else self.url,
            "aud": CLIENT_ID,
            "azp": CLIENT_ID,
            "iat": now,
            "exp": now + 3600,
            "nonce": asked["nonce"],
            **self.person,
            **self.claims,
        }
        jwk = signature_jwk(self.key.public_key(), Alg.ES256)
        header = {"alg": "ES256", "kid": jwk["kid"], "typ": "JWT", **self.header}
        kept = {name: value for name, value in claims.items() if value is not None}
        signed = f"{write_object(header)}.{write_object(kept)}"
        signature = ALGORITHMS[Alg.ES256].sign(self.key, signed.encode())
        return f"{signed}.{base64url.encode(signature)}"

    async def _user_info(self, request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer the-access-token"
        return web.json_response(self.person)


@dataclass(slots=True)
class GitHubStandIn(StandIn):
    """GitHub on a server of one's own: its API is below ``/api/v3``.

    Attributes:
        addresses: What ``/user/emails`` tells.
    """

    person: dict[str, Any] = field(
        default_factory=lambda: {
            "login": "octoada",
            "id": 583231,
            "node_id": "MDQ6VXNlcjU4MzIzMQ==",
            "avatar_url": "https://avatars.example/u/583231?v=4",
            "type": "User",
            "name": "Ada Lovelace",
            "email": None,
        }
    )
    addresses: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"email": "old@example.org", "primary": False, "verified": True, "visibility": None},
            {"email": "ada@example.org", "primary": True, "verified": True, "visibility": "private"},
        ]
    )

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/login/oauth/authorize", self._authorize),
            web.post("/login/oauth/access_token", self._token),
            web.get("/api/v3/user", self._user),
            web.get("/api/v3/user/emails", self._emails),
        ]

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.redeemed.append(form)
        assert request.headers["Accept"] == "application/json"
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return web.json_response({"error": "incorrect_client_credentials", "error_description": "…"})
        if self.refusal(form) is not None:
            return web.json_response({"error": "bad_verification_code", "error_description": "…"})
        return web.json_response(
            {"access_token": "gho_16C7e42F", "scope": "read:user,user:email", "token_type": "bearer"}
        )

    async def _user(self, request: web.Request) -> web.Response:
        return _api(request, self.person)

    async def _emails(self, request: web.Request) -> web.Response:
        return _api(request, self.addresses)


def _api(request: web.Request, told: object) -> web.Response:
    if request.headers.get("Authorization") != "Bearer gho_16C7e42F" or not request.headers.get("User-Agent"):
        return web.json_response({"message": "Bad credentials"}, status=401)
    return web.Response(text=json.dumps(told), content_type="application/json")


@asynccontextmanager
async def opened(stand_in: StandIn) -> AsyncIterator[StandIn]:
    """Serve it on this machine."""
    app = web.Application(middlewares=[stand_in._instead])
    app.add_routes(stand_in.routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    stand_in.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield stand_in
    finally:
        await runner.cleanup()
