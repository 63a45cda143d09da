"""A service, its clients as programs of their own, and an operator who knows nothing of a request but its id."""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from authlib.integrations.base_client import OAuthError as ClientFailure
from authlib.integrations.requests_client import OAuth2Session

from tests.integration.cli.console import Console
from tests.integration.conformance.browser import Browser, Callback
from tests.integration.conformance.deployment import random_text
from tests.integration.conformance.person import Person
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

CALLBACK = "https://shop.example/callback"
GATEWAY, AUDIENCE = "shop", "https://api.shop.example"
POLICY = f"""\
gateways:
  {GATEWAY}: {{audience: "{AUDIENCE}", scopes: [orders.read]}}
rate_limits:
  login_failures_per_ip: 1000/hour
"""
USER = "ada"
_HANG_SECONDS = 90
_HEARD_IN_JSON = {"error", "error_description"}
_HEARD_IN_REDIRECTS = {"error", "error_description", "state", "iss"}


@dataclass(frozen=True, slots=True)
class Story:
    """What ``authcenter explain REQUEST_ID --json`` prints."""

    told: dict[str, Any]

    @property
    def rule(self) -> str:
        return str(self.told["rule"])

    @property
    def client(self) -> str:
        return str(self.told["client_id"])

    @property
    def evidence(self) -> str:
        return "\n".join(self.told["evidence"])

    @property
    def rows(self) -> str:
        """All that it has of the audit log."""
        return "\n".join([*self.told["evidence"], *self.told["events"]])

    def facts(self, check: str) -> dict[str, Any]:
        """Of the check of that name that did not pass."""
        found = [one["facts"] for one in self.told["checks"] if one["name"] == check and not one["passed"]]
        assert len(found) == 1, self.told["checks"]
        facts: dict[str, Any] = found[0]
        return facts


@dataclass
class Site:
    """Everything that a broken sign-in takes.

    Attributes:
        browser: Ada's, who is signed in.
        shop: A confidential client of ``orders.read``; ``other``: one more.
        last: The newest answer that one of the clients or browsers got.
    """

    service: Service
    console: Console
    browser: Browser
    shop: Credentials
    other: Credentials
    subject: str
    answers: list[requests.Response] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.service.process.url

    @property
    def last(self) -> requests.Response:
        return self.answers[-1]

    def heard(self, session: requests.Session) -> None:
        """Remember what this client or browser is answered."""
        session.trust_env = False
        session.hooks["response"].append(lambda answer, **_: self.answers.append(answer))

    def program(self, client: Credentials | None = None, **options: Any) -> OAuth2Session:
        """The client's own program: Authlib, with PKCE."""
        who = client or self.shop
        made = OAuth2Session(
            who.client_id,
            who.secret,
            redirect_uri=CALLBACK,
            scope="orders.read",
            code_challenge_method="S256",
            **options,
        )
        self.heard(made)
        return made

    def link(self, program: OAuth2Session, verifier: str, **parameters: str) -> str:
        """Where the program sends the browser."""
        url, _ = program.create_authorization_url(f"{self.url}/oauth/authorize", code_verifier=verifier, **parameters)
        return str(url)

    def arrive(self, url: str, *, agrees: bool = True) -> str:
        """Ada follows a link, and answers pages up to the client's."""
        arrived = Person(self.browser, USER, PASSWORD).visit(url, agrees=agrees)
        assert isinstance(arrived, Callback)
        return arrived.uri

    def coded(self, program: OAuth2Session, verifier: str, **parameters: str) -> str:
        """The address with a code that Ada's browser brings the program."""
        arrived = self.arrive(self.link(program, verifier, **parameters))
        self.service.api.secrets.add(dict(parse_qsl(urlsplit(arrived).query))["code"])
        return arrived

    def redeem(self, program: OAuth2Session, arrived: str, verifier: str, **form: str) -> dict[str, Any]:
        self.service.api.secrets.add(verifier)
        tokens: dict[str, Any] = program.fetch_token(
            f"{self.url}/oauth/token", authorization_response=arrived, code_verifier=verifier, **form
        )
        self.service.api.secrets |= {str(tokens[name]).rpartition(".")[2] for name in ("access_token", "refresh_token")}
        return tokens

    def signed_in(self, **parameters: str) -> tuple[OAuth2Session, dict[str, Any]]:
        """A sign-in that works: the program and what it holds."""
        program, verifier = self.program(), random_text(48)
        return program, self.redeem(program, self.coded(program, verifier, **parameters), verifier)

    def refused(self, act: Callable[[], object]) -> requests.Response:
        """What the program is answered in which ``act`` must fail."""
        try:
            act()
        except ClientFailure:
            return self.last
        raise AssertionError("it was not refused")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        """A plain request, without a program around it."""
        with requests.Session() as session:
            self.heard(session)
            return session.request(method, f"{self.url}{path}", timeout=_HANG_SECONDS, allow_redirects=False, **options)

    def authorize(self, **parameters: str) -> requests.Response:
        """The first answer of an authorization request, of a browser in which nobody is signed in."""
        return self.ask("GET", f"/oauth/authorize?{urlencode({'response_type': 'code', **parameters})}")

    def bearer(self, path: str, token: str) -> requests.Response:
        return self.ask("GET", path, headers={"Authorization": f"Bearer {token}"})

    def operator(self, *arguments: str) -> Any:
        """A command of the operator that must succeed."""
        return self.console.told(*arguments)

    def age(self, table: str, by: timedelta, where: str) -> None:
        """Make a row older than it is: what waiting for so long would do."""
        columns = {"device_codes": ("expires_at",), "pushed_requests": ("expires_at",)}
        shift = ", ".join(f"{name} = {name} - :by" for name in columns.get(table, ("issued_at", "expires_at")))
        path = self.service.process.environment["AUTHCENTER_DATABASE_URL"].partition("///")[2]
        with closing(sqlite3.connect(path, timeout=_HANG_SECONDS)) as database, database:
            statement = f"UPDATE {table} SET {shift} WHERE {where}"
            changed = database.execute(statement, {"by": by // timedelta(microseconds=1)})
        assert changed.rowcount == 1, changed.rowcount

    def explained(self, answer: requests.Response, *recorded: str) -> Story:
        """The story of a refused request, from its id alone; and nothing of it was told outside.

        Args:
            recorded: What the story holds of rows that no answer waits for: they may be a while in the spool.
        """
        request_id = answer.headers["X-Request-Id"]

        told: dict[str, Any] = {}

        def known() -> bool:
            done = self.console.run("explain", request_id, "--json")
            told.update(json.loads(done.out) if done.exit_code == 0 else {})
            # What the audit log has of it is there before its checks are.
            return bool(told.get("route")) and all(text in Story(told).rows for text in recorded)

        until(known, f"request {request_id} can be explained")
        story = Story(told)
        assert story.told["request_id"] == request_id
        assert story.told["cause"]
        assert story.told["remedy"]
        assert any(not check["passed"] for check in story.told["checks"]), story.told
        assert_untold(answer, story)
        self.assert_no_secret(str(story.told))
        return story

    def assert_no_secret(self, text: str) -> None:
        found = {secret for secret in self.service.api.secrets if len(secret) >= 12 and secret in text}
        assert not found, "a secret in the story"


def assert_untold(answer: requests.Response, story: Story) -> None:
    """Whoever asked was told RFC text and the request id, nothing else."""
    location = answer.headers.get("Location", "")
    kind = answer.headers.get("Content-Type", "")
    if kind.startswith("application/json"):
        members = answer.json().keys() if answer.content else set()
        assert members <= _HEARD_IN_JSON or answer.json() == {"active": False}, answer.text
    if location.startswith(CALLBACK):
        assert dict(parse_qsl(urlsplit(location).query)).keys() <= _HEARD_IN_REDIRECTS, location
    said = re.sub(r"&#\d+;|\s+", " ", answer.text) + str(answer.headers) + location
    described = re.search(r'"error_description":"([^"]*)"', answer.text)
    inside = [story.told["hint"], story.told["cause"], story.told["remedy"], *story.told["evidence"], "evidence"]
    for text in inside:
        if text and not (described and text == described[1]) and len(text) > len("redirect_uri"):
            assert text not in said, text
