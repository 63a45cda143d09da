"""The endpoints as a client program sees them, over HTTP."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import jwt
import requests
from prometheus_client.parser import text_string_to_metric_families

_HANG_SECONDS = 90
_SECRET_PARAMETERS = frozenset({"access_token", "refresh_token", "token", "client_secret", "password"})


@dataclass(frozen=True, slots=True)
class Credentials:
    """A client's id and secret; a public one has none."""

    client_id: str
    secret: str | None

    def form(self) -> dict[str, str]:
        """As parameters of the body."""
        named = {"client_id": self.client_id}
        return named if self.secret is None else {**named, "client_secret": self.secret}


class Api:
    """One HTTP session with one process of the service. A context: its connections are closed at the end."""

    def __init__(self, url: str, ops_url: str, issuer: str) -> None:
        self.url, self.ops_url, self.issuer = url, ops_url, issuer
        self.secrets: set[str] = set()
        self.session = requests.Session()
        # Neither a proxy nor a .netrc of the person who runs the tests.
        self.session.trust_env = False

    def post(self, path: str, form: Any = None, **options: Any) -> requests.Response:
        answer = self.session.post(f"{self.url}{path}", data=form, timeout=_HANG_SECONDS, **options)
        self._remember(form, answer)
        return answer

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.url}{path}", timeout=_HANG_SECONDS, **options)

    def ops(self, path: str) -> requests.Response:
        return self.session.get(f"{self.ops_url}{path}", timeout=_HANG_SECONDS)

    def ask(self, client: Credentials, grant_type: str = "client_credentials", **form: str) -> requests.Response:
        """A token request."""
        return self._as(client, "/oauth/token", {"grant_type": grant_type, **form})

    def issue(self, client: Credentials, grant_type: str = "client_credentials", **form: str) -> dict[str, Any]:
        """A token request that must succeed: its answer, decoded."""
        answer = self.ask(client, grant_type, **form)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def introspect(self, client: Credentials, token: str, **options: Any) -> requests.Response:
        return self._as(client, "/oauth/introspect", {"token": token}, **options)

    def claims(self, client: Credentials, token: str) -> dict[str, Any]:
        """What introspection tells; the service must be able to tell."""
        answer = self.introspect(client, token)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def active(self, client: Credentials, token: str) -> bool:
        return bool(self.claims(client, token)["active"])

    def revoke(self, client: Credentials, token: str, **form: str) -> requests.Response:
        return self._as(client, "/oauth/revoke", {"token": token, **form})

    def kids(self) -> set[str]:
        """The ids of the published keys."""
        return {key["kid"] for key in self.get("/.well-known/jwks.json").json()["keys"]}

    def decoded(self, token: str, audience: str, algorithm: str = "ES256") -> dict[str, Any]:
        """The claims of a JWT of this issuer, checked with the published keys as a resource server would."""
        key = jwt.PyJWKClient(f"{self.url}/.well-known/jwks.json").get_signing_key_from_jwt(token)
        claims: dict[str, Any] = jwt.decode(token, key, [algorithm], audience=audience, issuer=self.issuer)
        return claims

    def metric(self, name: str, **labels: str) -> float:
        """A sample of ``/metrics``, summed over the labels that are not given; absent: 0."""
        text = self.ops("/metrics").text
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )

    def _as(self, client: Credentials, path: str, form: dict[str, str], **options: Any) -> requests.Response:
        if client.secret is None:
            return self.post(path, {**form, "client_id": client.client_id}, **options)
        self.secrets.add(client.secret)
        return self.post(path, form, auth=(client.client_id, client.secret), **options)

    def _remember(self, form: Any, answer: requests.Response) -> None:
        """Keep what may not turn up in a log: of a token, its part that proves."""
        values = dict(form) if isinstance(form, dict) else {}
        if answer.headers.get("Content-Type") == "application/json" and answer.content:
            values |= answer.json()
        for name in _SECRET_PARAMETERS & values.keys():
            self.secrets.add(str(values[name]).rpartition(".")[2])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.session.close()


def until(holds: Callable[[], object], what: str, hang_seconds: float = _HANG_SECONDS) -> float:
    """Wait until ``holds``; returns the seconds that took. Fails once ``hang_seconds`` have passed."""
    started = time.monotonic()
    while not holds():
        assert time.monotonic() - started < hang_seconds, f"still not so after {hang_seconds} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - started
