"""A running server as the Foundation's suite is given one: two clients, and a person with every standard claim."""

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from authcenter.core.client import Profile
from authcenter.tokens.codes import code_digest
from tests.integration.conformance.browser import Browser
from tests.integration.conformance.person import Person
from tests.integration.conformance.relying_party import RelyingParty
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

SCOPES = ["openid", "profile", "email", "address", "phone", "offline_access"]
SUITE = "https://suite.example"
CALLBACK = f"{SUITE}/test/a/authcenter/callback"
POLICY_FILE = Path(__file__).parents[3] / "config" / "conformance.yaml"
_HANG_SECONDS = 90


@dataclass(frozen=True, slots=True)
class Deployment:
    """The server and who uses it.

    Attributes:
        post_client: Authenticates by ``client_secret_post``.
    """

    service: Service
    client: RelyingParty
    client2: RelyingParty
    post_client: RelyingParty
    username: str
    password: str

    @property
    def issuer(self) -> str:
        return self.service.process.environment["AUTHCENTER_ISSUER"]

    def person(self, browser: Browser) -> Person:
        return Person(browser, self.username, self.password)

    def metadata(self) -> dict[str, Any]:
        return dict(self.service.api.get("/.well-known/openid-configuration").json())

    def age_code(self, code: str, by: timedelta) -> None:
        """Make a code, and its use, older than they are: what waiting for so long would do to the record."""
        path = self.service.process.environment["AUTHCENTER_DATABASE_URL"].partition("///")[2]
        shift = ", ".join(f"{name} = {name} - :by" for name in ("issued_at", "expires_at", "spent_at"))
        values = {"by": by // timedelta(microseconds=1), "digest": code_digest(code)}
        with closing(sqlite3.connect(path, timeout=_HANG_SECONDS)) as database, database:
            changed = database.execute(f"UPDATE authorization_codes SET {shift} WHERE digest = :digest", values)
        assert changed.rowcount == 1


def prepared(service: Service) -> Deployment:
    """What the command ``authcenter conformance`` makes and prints, on a running service."""
    made = service.process.cli_json("conformance", "--suite", SUITE)
    places = ("client", "client2", "client_secret_post")
    clients = [_party(service, made[place]["client_id"], made[place]["client_secret"]) for place in places]
    clients[2].post_secret = True
    person = made["person"]
    service.api.secrets.add(person["password"])
    return Deployment(service, *clients, person["username"], person["password"])


def furnish(service: Service, name: str) -> Deployment:
    """A person and clients, named after ``name``, as an operator makes them on a service of another test."""
    service.operator.user(name)
    service.api.secrets.add(PASSWORD)
    clients = [relying_party(service, f"{name}-{number}") for number in range(3)]
    clients[2].post_secret = True
    return Deployment(service, *clients, name, PASSWORD)


def relying_party(service: Service, client_id: str, uri: str = CALLBACK, **changes: Any) -> RelyingParty:
    """Register a client of the profile ``oidc``, as an operator does."""
    fields = {"profile": Profile.OIDC, "scopes": SCOPES, "redirect_uris": [uri], **changes}
    credentials = service.operator.client(client_id, "authorization_code", "refresh_token", **fields)
    return _party(service, client_id, str(credentials.secret), uri)


def _party(service: Service, client_id: str, secret: str, uri: str = CALLBACK) -> RelyingParty:
    service.api.secrets.add(secret)
    return RelyingParty(service.api.issuer, client_id, secret, uri, secrets=service.api.secrets)


def random_text(characters: int) -> str:
    """Of URL-safe characters, so that no encoding changes its length."""
    return secrets.token_urlsafe(characters)[:characters]
