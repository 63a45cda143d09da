"""A client of the service, one connection a request, so that a death shows as what it is."""

import base64
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

_HANG_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. ``body``: the bytes themselves, since a retry must get the very same."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Caller:
    """A confidential client; ``url`` is the service's."""

    url: str
    client_id: str
    secret: str

    def post(self, path: str, **form: str) -> Answer:
        """Raises ``ConnectionError`` where the service died first."""
        place = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=_HANG_SECONDS)
        try:
            connection.request("POST", path, urlencode(form), self.headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers), answer.read())
        finally:
            connection.close()

    @property
    def headers(self) -> dict[str, str]:
        basic = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
        return {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}

    def sign_in(self, username: str, password: str) -> dict[str, Any]:
        """A new family's first tokens."""
        return self.granted(self.post("/oauth/token", grant_type="password", username=username, password=password))

    def refresh(self, token: str) -> Answer:
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=token)

    def own_token(self) -> str:
        """An access token of the client itself."""
        return str(self.granted(self.post("/oauth/token", grant_type="client_credentials"))["access_token"])

    def active(self, token: str) -> bool:
        answer = self.post("/oauth/introspect", token=token)
        assert answer.status == 200, answer
        return bool(answer.json["active"])

    def revoke(self, token: str) -> Answer:
        return self.post("/oauth/revoke", token=token)

    @staticmethod
    def granted(answer: Answer) -> dict[str, Any]:
        """The tokens of an answer that must have been granted."""
        assert answer.status == 200, answer
        return dict(answer.json)


def claims(token: str) -> dict[str, Any]:
    """Of an access token, unverified."""
    part = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))))
