"""A running server as the Foundation's suite is given one: two clients, and a person with every standard claim."""

import secrets
import sqlite3
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from authcenter.core.client import Profile
from authcenter.tokens.codes import code_digest
from tests.integration.conformance.browser import Browser
from tests.integration.conformance.person import Person
from tests.integration.conformance.relying_party import RelyingParty
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

CLAIMS: dict[str, Any] = {
    "name": "Ada Conformance",
    "given_name": "Ada",
    "family_name": "Conformance",
    "middle_name": "Byron",
    "nickname": "ada",
    "profile": "https://people.example/ada",
    "picture": "https://people.example/ada.png",
    "website": "https://ada.example",
    "gender": "female",
    "birthdate": "1985-12-10",
    "zoneinfo": "Europe/London",
    "locale": "en-GB",
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
    "address": {
        "formatted": "12 St James's Square\nLondon SW1Y 4JH\nUnited Kingdom",
        "street_address": "12 St James's Square",
        "locality": "London",
        "postal_code": "SW1Y 4JH",
        "country": "United Kingdom",
    },
}
SCOPES = ["openid", "profile", "email", "address", "phone", "offline_access"]
CALLBACK = "https://suite.example/test/a/authcenter/callback"
_HANG_SECONDS = 30
POLICY = """\
sessions: {max_per_user: 1000}
fetch: {allow_private: [127.0.0.0/8]}
"""


@dataclass(frozen=True, slots=True)
class Deployment:
    """The server and who uses it."""

    service: Service
    client: RelyingParty
    client2: RelyingParty
    username: str

    @property
    def issuer(self) -> str:
        return self.service.process.environment["AUTHCENTER_ISSUER"]

    def person(self, browser: Browser) -> Person:
        return Person(browser, self.username, PASSWORD)

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


def relying_party(service: Service, client_id: str, uri: str = CALLBACK, **changes: Any) -> RelyingParty:
    """Register a client of the profile ``oidc``, as an operator does."""
    fields = {"profile": Profile.OIDC, "scopes": SCOPES, "redirect_uris": [uri], **changes}
    credentials = service.operator.client(client_id, "authorization_code", "refresh_token", **fields)
    assert credentials.secret is not None
    party = RelyingParty(service.api.issuer, client_id, credentials.secret, uri, secrets=service.api.secrets)
    party.secrets.add(credentials.secret)
    return party


def furnish(service: Service, name: str = "suite") -> Deployment:
    """Make a person and two clients, named after ``name``, on a running service."""
    user = service.operator.user(name)
    assert service.operator.act(lambda core: core.stores.users.replace(replace(user, claims=CLAIMS)))
    service.api.secrets.add(PASSWORD)
    clients = (relying_party(service, f"{name}-{number}") for number in (1, 2))
    return Deployment(service, *clients, name)


def random_text(characters: int) -> str:
    """Of URL-safe characters, so that no encoding changes its length."""
    return secrets.token_urlsafe(characters)[:characters]
