"""The contender that is authcenter: one worker on SQLite, everything switched on, set up by its command line."""

import secrets
from pathlib import Path
from typing import ClassVar, Final, Self

import jwt

from tests.bench.load import CONNECTIONS, Request
from tests.bench.probe import answers, basic, check_access_token, get_json, post_form, wait_until
from tests.bench.work import Contender, Work
from tests.servers.authcenter import AuthcenterProcess

_AUDIENCE: Final = "https://api.bench.test"
_CLIENT: Final = "bench"
_RESOURCE_SERVER: Final = "bench-api"
_USER: Final = "bencher"
_FORM: Final = {"grant_type": "client_credentials", "scope": "read"}
_GRANTS: Final = ("client_credentials", "password", "refresh_token")
_ALGORITHMS: Final = ("ES256", "RS256", "EdDSA")
# wrk asks for one request ahead of the run, and one more chain is spare.
_CHAINS: Final = CONNECTIONS + 2
# The limit still counts; it only must not be met.
_POLICY: Final = """\
tokens:
  signing_alg: {algorithm}
rate_limits:
  token_per_client: 100000/second
gateways:
  bench: {{audience: "https://api.bench.test", scopes: [read]}}
"""


class Authcenter(AuthcenterProcess, Contender):
    """The server under measurement, with a client, a resource server that introspects, and a user for the chains."""

    name: ClassVar = "authcenter"

    def __init__(self, directory: Path, database_url: str | None = None) -> None:
        """``directory`` is for its state and log, and for an SQLite file where no ``database_url`` is given."""
        settings = {"AUTHCENTER_WORKERS": "1"}
        super().__init__(directory / "authcenter", database_url=database_url, settings=settings)
        self._write_policy("ES256")
        self._password = secrets.token_urlsafe(24)
        self._client = self._resource_server = ""

    def start(self) -> Self:
        """Start it and make what the loads need; the database is new, so that this can be done once only."""
        super().start()
        self.cli_json("resources", "create", "--id", _AUDIENCE, "--scope", "read")
        grants = [word for grant in _GRANTS for word in ("--grant", grant)]
        self._client = self._made(_CLIENT, *grants, "--scope", "read", "--audience", _AUDIENCE)
        self._resource_server = self._made(_RESOURCE_SERVER, "--serves", _AUDIENCE)
        user = ("--username", _USER, "--email", "bencher@bench.test", "--password-stdin")
        self.cli_json("users", "create", *user, stdin=self._password)
        for algorithm in _ALGORITHMS:
            self.cli_json("keys", "rotate", "--alg", algorithm, "--now")
        return self

    @property
    def audience(self) -> str:
        """The resource that its tokens are for."""
        return _AUDIENCE

    @property
    def person(self) -> tuple[str, str]:
        """Name and password of its user."""
        return _USER, self._password

    def prepare(self, work: Work) -> Request:
        """Switch the policy to the work's algorithm, check one answer, and say what to send."""
        self._sign_with(work.algorithm)
        match work:
            case Work.JWKS:
                return Request("GET", f"{self.url}/.well-known/jwks.json")
            case Work.INTROSPECTION:
                return self._introspection()
            case Work.VALIDATE:
                return self.validation(f"{self.url}/oauth/validate/bench")
            case Work.REFRESH:
                chains = tuple(self._chain() for _ in range(_CHAINS))
                body = "grant_type=refresh_token&refresh_token="
                return Request("POST", f"{self.url}/oauth/token", body, self._client, chains)
            case _:
                body = "grant_type=client_credentials&scope=read"
                return Request("POST", f"{self.url}/oauth/token", body, self._client)

    def validation(self, url: str) -> Request:
        """A request with a token of ours to ``url``, after one such request was let through."""
        request = Request("GET", url, authorization=f"Bearer {self._token()}")
        if not answers(url, request.authorization) or answers(url, request.authorization[:-4]):
            raise RuntimeError(f"{url} does not tell a good token from a bad one")
        return request

    def _sign_with(self, algorithm: str) -> None:
        self._write_policy(algorithm)
        wait_until(lambda: jwt.get_unverified_header(self._token())["alg"] == algorithm, what=f"signs with {algorithm}")
        check_access_token(self._token(), algorithm, get_json(f"{self.url}/.well-known/jwks.json"))

    def _token(self) -> str:
        return str(post_form(f"{self.url}/oauth/token", _FORM, self._client)["access_token"])

    def _introspection(self) -> Request:
        token = self._token()
        form = {"token": token, "token_type_hint": "access_token"}
        answer = post_form(f"{self.url}/oauth/introspect", form, self._resource_server)
        if answer["active"] is not True or answer["client_id"] != _CLIENT:
            raise RuntimeError(f"authcenter does not know its own token: {answer}")
        body = f"token={token}&token_type_hint=access_token"
        return Request("POST", f"{self.url}/oauth/introspect", body, self._resource_server)

    def _chain(self) -> str:
        form = {"grant_type": "password", "username": _USER, "password": self._password, "scope": "read"}
        return str(post_form(f"{self.url}/oauth/token", form, self._client)["refresh_token"])

    def _made(self, identifier: str, *arguments: str) -> str:
        made = self.cli_json(
            "clients", "create", "--id", identifier, "--auth-method", "client_secret_basic", *arguments
        )
        return basic(identifier, made["client_secret"])

    def _write_policy(self, algorithm: str) -> None:
        text = _POLICY.format(algorithm=algorithm)
        if self.policy_file.read_text() != text:
            # In one step, so that the watcher never reads half a document.
            fresh = self.policy_file.with_suffix(".fresh")
            fresh.write_text(text)
            fresh.rename(self.policy_file)
