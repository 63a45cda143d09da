"""Logging out of a running service: what clients hear by the back channel and in the browser, with a real browser."""

import json
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from authcenter.core.relying_party import RelyingParty
from authcenter.proofs.pkce import challenge_of
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.relying_party import RelyingPartyServer, relying_party
from tests.integration.service.running import Service, policy
from tests.servers.require import require
from tests.workbench import decoded

HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)">')
VERIFIER = "v" * 43
REACHABLE = "fetch: {allow_private: [127.0.0.0/8]}"
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class Person:
    """Somebody with a browser, at a client."""

    service: Service
    server: RelyingPartyServer
    name: str
    browser: requests.Session = field(default_factory=requests.Session)

    def client(self, name: str, **party: Any) -> Credentials:
        made = RelyingParty(post_logout_redirect_uris=(self.out,), **party)
        return self.service.operator.client(
            name,
            "authorization_code",
            "refresh_token",
            scopes=["openid", "offline_access"],
            redirect_uris=[f"{self.server.url}/cb"],
            first_party=True,
            relying_party=made,
        )

    @property
    def out(self) -> str:
        return f"{self.server.url}/out"

    def get(self, path: str, **parameters: str) -> requests.Response:
        url = self.service.api.url + path + (f"?{urlencode(parameters)}" if parameters else "")
        return self.browser.get(url, allow_redirects=False, timeout=30)

    def authorize(self, client: Credentials, **changes: str) -> requests.Response:
        asked = {
            "client_id": client.client_id,
            "redirect_uri": f"{self.server.url}/cb",
            "response_type": "code",
            "scope": "openid offline_access",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
        }
        return self.get("/oauth/authorize", **asked, **changes)

    def sign_in(self, client: Credentials) -> dict[str, Any]:
        """Sign in, where that has not been done, and get the client's tokens."""
        answer = self.authorize(client)
        if answer.headers["Location"].startswith("/login"):
            page = self.get(answer.headers["Location"])
            hidden = {unescape(name): unescape(value) for name, value in HIDDEN.findall(page.text)}
            form = {**hidden, "username": self.name, "password": PASSWORD, "act": "login"}
            url = f"{self.service.api.url}/login"
            answer = self.browser.post(url, data=form, allow_redirects=False, timeout=30)
            answer = self.get(answer.headers["Location"])
        code = told(answer)["code"]
        redirect_uri = f"{self.server.url}/cb"
        return self.service.api.issue(
            client, "authorization_code", code=code, redirect_uri=redirect_uri, code_verifier=VERIFIER
        )

    def signed_out(self, client: Credentials) -> bool:
        return told(self.authorize(client, prompt="none")).get("error") == "login_required"


def told(answer: requests.Response) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))


@contextmanager
def person(service: Service) -> Iterator[Person]:
    name = f"leaver-{secrets.token_hex(4)}"
    service.operator.user(name)
    with relying_party() as server, policy(service, REACHABLE):
        yield Person(service, server, name)


def names() -> tuple[str, str]:
    tail = secrets.token_hex(4)
    return f"back-{tail}", f"front-{tail}"


def verified(service: Service, token: str, client: Credentials) -> dict[str, Any]:
    """The claims of a logout token, checked as a client would."""
    header = json.loads(decoded(token.split(".", maxsplit=1)[0]))
    assert (header["typ"], header["alg"]) == ("logout+jwt", "ES256")
    return service.api.decoded(token, client.client_id)


def test_signing_out_ends_everything_and_the_client_is_told(either: Service) -> None:
    with person(either) as someone:
        client = someone.client(names()[0], backchannel_logout_uri=f"{someone.server.url}/back")
        tokens = someone.sign_in(client)
        identity = either.api.decoded(tokens["id_token"], client.client_id)
        answer = someone.get(
            "/oauth/logout", id_token_hint=tokens["id_token"], post_logout_redirect_uri=someone.out, state="s" * 128
        )
        assert answer.headers["Location"] == f"{someone.out}?state={'s' * 128}"
        assert someone.signed_out(client)
        until(lambda: not either.api.active(client, tokens["access_token"]), "the access token is dead")
        refreshed = either.api.ask(client, "refresh_token", refresh_token=tokens["refresh_token"])
        assert (refreshed.status_code, refreshed.json()["error"]) == (400, "invalid_grant")
        until(lambda: someone.server.got("/back"), "the client has been told")
        (form,) = someone.server.got("/back")
        assert list(form) == ["logout_token"]
        claims = verified(either, form["logout_token"], client)
        assert {name: claims[name] for name in ("iss", "sub", "sid")} == {
            name: identity[name] for name in ("iss", "sub", "sid")
        }
        assert claims["events"] == {EVENT: {}}
        assert "nonce" not in claims
        assert claims["exp"] - claims["iat"] <= 120


def test_an_operator_logs_somebody_out_everywhere_and_the_client_is_told(service: Service) -> None:
    with person(service) as someone:
        client = someone.client(names()[0], backchannel_logout_uri=f"{someone.server.url}/back")
        tokens = someone.sign_in(client)
        # Mails of other tests, which nobody sends here.
        waiting = service.operator.act(lambda core: core.stores.outbox.depth())
        service.operator.act(lambda core: core.accounts.logout(someone.name, actor="test"))
        until(lambda: someone.server.got("/back"), "the client has been told")
        (form,) = someone.server.got("/back")
        identity = service.api.decoded(tokens["id_token"], client.client_id)
        assert verified(service, form["logout_token"], client)["sid"] == identity["sid"]
        until(lambda: someone.signed_out(client), "nobody is signed in")
        # This process is the only one of its deployment: what was done, it has counted.
        done = {"job": "backchannel_logout", "outcome": "done"}
        until(lambda: service.api.metric("authcenter_job_total", **done) >= 1, "it has been counted")
        until(lambda: service.api.metric("authcenter_job_queue_depth") <= waiting, "nothing more waits")


@contextmanager
def chromium(directory: Path, url: str) -> Iterator[None]:
    """A browser without scripts at ``url``, which goes where pages lead it."""
    command = [
        require("chromium"),
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--no-proxy-server",
        "--disable-background-networking",
        "--blink-settings=scriptEnabled=false",
        f"--user-data-dir={directory}",
        "--remote-debugging-port=0",
        url,
    ]
    with (directory / "log").open("wb") as log:
        browser = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            os.killpg(browser.pid, signal.SIGKILL)
            browser.wait()


def test_a_browser_tells_clients_in_frames_and_comes_back_without_scripts(service: Service, tmp_path: Path) -> None:
    require("chromium")
    with person(service) as someone:
        back, front = names()
        first = someone.client(back)
        framed = someone.client(front, frontchannel_logout_uri=f"{someone.server.url}/frame?x=1")
        someone.sign_in(framed)
        hint = someone.sign_in(first)["id_token"]
        logout = urlencode({"id_token_hint": hint, "post_logout_redirect_uri": someone.out, "state": "a b&c"})
        someone.server.enter = (f"{service.api.url}/oauth/logout?{logout}", someone.browser.cookies.get_dict())
        with chromium(tmp_path, f"{someone.server.url}/enter"):
            until(lambda: someone.server.got("/out"), "the browser is back", 110)
        sid = service.api.decoded(hint, first.client_id)["sid"]
        assert someone.server.got("/frame") == [{"x": "1", "iss": service.api.issuer, "sid": sid}]
        assert someone.server.got("/out") == [{"state": "a b&c"}]
        assert someone.server.got("/script") == []
        # This one has kept the cookie.
        until(lambda: someone.signed_out(first), "nobody is signed in")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"])
def test_logout_is_announced(service: Service, path: str) -> None:
    metadata = service.api.get(path).json()
    assert metadata["end_session_endpoint"] == f"{service.api.issuer}/oauth/logout"
    for channel in ("backchannel", "frontchannel"):
        assert metadata[f"{channel}_logout_supported"] is True
        assert metadata[f"{channel}_logout_session_supported"] is True
