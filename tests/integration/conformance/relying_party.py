"""A relying party that checks all that OpenID Connect Core tells it to, by another implementation of JOSE than ours."""

import base64
import hashlib
import secrets
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import jwt
import requests

from tests.integration.conformance.browser import Callback

_HANG_SECONDS = 90
_STALE_SECONDS = 300
_SPARE_SECONDS = 5
_ALLOWED_IN_ERRORS = {"error", "error_description", "error_uri", "state", "iss", "session_state"}


@dataclass(frozen=True, slots=True)
class Tokens:
    """A token response that holds, and the claims of its ID token."""

    body: dict[str, Any]
    claims: dict[str, Any]

    @property
    def access(self) -> str:
        return str(self.body["access_token"])

    @property
    def id_token(self) -> str:
        return str(self.body["id_token"])


@dataclass(slots=True)
class RelyingParty:
    """One client.

    Attributes:
        issuer: Also where the server is reached.
        post_secret: ``client_secret_post`` instead of basic.
        verify: The CA file to trust.
        defaults: Parameters of every authorization request.
        secrets: All that was received and may not turn up in a log.
    """

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    post_secret: bool = False
    verify: str | bool = True
    alg: str = "RS256"
    defaults: dict[str, str] = field(default_factory=dict)
    secrets: set[str] = field(default_factory=set)

    @property
    def authorization(self) -> str:
        """RFC 6749 §2.3.1: form-urlencoded before base64."""
        pair = f"{quote(self.client_id, '')}:{quote(self.secret, '')}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    def request(self, **changes: str | None) -> dict[str, str]:
        """An authorization request as the suite's: state and nonce, no PKCE. None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": "openid",
            "state": secrets.token_urlsafe(24),
            "nonce": secrets.token_urlsafe(24),
            "response_type": "code",
            **self.defaults,
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def url(self, request: dict[str, str]) -> str:
        return f"{self.issuer}/oauth/authorize?{urlencode(request)}"

    def answered(self, callback: Callback, request: dict[str, str]) -> dict[str, str]:
        """The members of the answer, after all that a client checks before it looks at them."""
        by_post = request.get("response_mode") == "form_post"
        assert (callback.posted is not None) == by_post, callback
        assert "#" not in callback.uri
        called, _, appended = callback.uri.partition("?" if "?" not in self.redirect_uri else "&")
        assert called == self.redirect_uri
        assert not (by_post and appended), "the query must stay as it was registered"
        members = callback.members
        assert members.get("state") == request.get("state")
        # RFC 9207 §2.4
        assert members["iss"] == self.issuer
        return members

    def code(self, callback: Callback, request: dict[str, str]) -> str:
        """The code of an answer that must have one."""
        members = self.answered(callback, request)
        assert "error" not in members, members
        # 128 bits would do.
        assert len(members["code"]) >= 22
        self.secrets.add(members["code"])
        return members["code"]

    def error(self, callback: Callback, request: dict[str, str]) -> str:
        """The error of an answer that must be one."""
        members = self.answered(callback, request)
        assert members.keys() <= _ALLOWED_IN_ERRORS, members
        assert not set("\r\n\t") & set(members.get("error_description", ""))
        return members["error"]

    def ask(self, grant_type: str, **form: str) -> requests.Response:
        """A token request."""
        body = {"grant_type": grant_type, **form}
        if self.post_secret:
            return self._post("/oauth/token", {**body, "client_id": self.client_id, "client_secret": self.secret})
        return self._post("/oauth/token", body, {"Authorization": self.authorization})

    def redeem(self, code: str, **form: str) -> requests.Response:
        return self.ask("authorization_code", **{"code": code, "redirect_uri": self.redirect_uri, **form})

    def tokens(self, answer: requests.Response, *, nonce: str | None) -> Tokens:
        """Read a token response that must be a success, and check its ID token (OpenID Connect Core §3.1.3.7)."""
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"] == "application/json"
        assert "no-store" in answer.headers["Cache-Control"]
        body = answer.json()
        assert body["token_type"] == "Bearer"
        assert isinstance(body["expires_in"], int)
        self.secrets |= {str(body[name]).rpartition(".")[2] for name in body.keys() & {"access_token", "refresh_token"}}
        self.secrets.add(body["id_token"].rpartition(".")[2])
        return Tokens(body, self.validated(body["id_token"], body["access_token"], nonce=nonce))

    def validated(self, id_token: str, access_token: str, *, nonce: str | None) -> dict[str, Any]:
        """The claims of an ID token that holds."""
        header = jwt.get_unverified_header(id_token)
        assert header["alg"] == self.alg
        keys = [key for key in self.jwks() if key["kid"] == header["kid"]]
        assert len(keys) == 1
        claims: dict[str, Any] = jwt.decode(
            id_token,
            jwt.PyJWK(keys[0], algorithm=self.alg),
            [self.alg],
            audience=self.client_id,
            issuer=self.issuer,
            leeway=_SPARE_SECONDS,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
        assert claims.get("nonce") == nonce
        assert time.time() - claims["iat"] < _STALE_SECONDS
        assert 0 < len(claims["sub"]) <= 255
        assert isinstance(claims["acr"], str)
        assert claims["acr"]
        assert claims["auth_time"] <= claims["iat"] + _SPARE_SECONDS
        half = hashlib.sha256(access_token.encode()).digest()[:16]
        assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        return claims

    def jwks(self) -> list[dict[str, str]]:
        keys: list[dict[str, str]] = self.get("/.well-known/jwks.json").json()["keys"]
        return keys

    def userinfo(self, access_token: str) -> requests.Response:
        return self.get("/oauth/userinfo", {"Authorization": f"Bearer {access_token}"})

    def told(self, tokens: Tokens) -> dict[str, Any]:
        """What userinfo tells, which must be of the same person as the ID token (§5.3.4)."""
        answer = self.userinfo(tokens.access)
        assert answer.status_code == 200, answer.text
        assert answer.headers["Content-Type"].startswith("application/json")
        told: dict[str, Any] = answer.json()
        assert told["sub"] == tokens.claims["sub"]
        return told

    def get(self, path: str, headers: dict[str, str] | None = None) -> requests.Response:
        return requests.get(f"{self.issuer}{path}", headers=headers, timeout=_HANG_SECONDS, verify=self.verify)

    def _post(self, path: str, form: dict[str, str], headers: dict[str, str] | None = None) -> requests.Response:
        return requests.post(
            f"{self.issuer}{path}", data=form, headers=headers, timeout=_HANG_SECONDS, verify=self.verify
        )
