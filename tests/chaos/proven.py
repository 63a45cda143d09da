"""Programs at work on one service, which remember what they were answered and so can be held to its audit log."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.chaos.caller import claims
from tests.integration.conformance.browser import Browser, Page
from tests.integration.service.api import Api, Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

POLICY = """\
rate_limits:
  token_per_client: 1000000/minute
  login_failures_per_ip: 1000/minute
  login_failures_per_account: 1000/minute
sessions: {max_per_user: 50}
"""
USER = "alice"
_HANG_SECONDS = 90
_PATIENCE_SECONDS = 240


@dataclass
class Answered:
    """What has been answered with success, in the order in which each program got it.

    Attributes:
        issued: By program: the ``jti`` of each token.
        revoked: The request ids of revocations; ``signed_in``: of sign-ins.
    """

    issued: list[list[str]] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    signed_in: list[str] = field(default_factory=list)

    @property
    def tokens(self) -> int:
        return sum(map(len, self.issued))


@dataclass
class Work:
    """The programs on one service: each asks again as soon as it has its answer, until there is nobody to ask."""

    service: Service
    client: Credentials
    done: Answered = field(default_factory=Answered)

    @contextmanager
    def under_way(self, *, issuing: int = 2, revoking: int = 0, signing_in: int = 0) -> Iterator[Answered]:
        """While the block runs; it ends with the service killed."""
        programs = [self._issue] * issuing + [self._revoke] * revoking + [self._sign_in] * signing_in
        threads = [threading.Thread(target=_until_gone, args=(program(),)) for program in programs]
        for thread in threads:
            thread.start()
        try:
            yield self.done
        finally:
            self.service.process.kill()
            for thread in threads:
                thread.join(_HANG_SECONDS)

    def at_rest(self, column: str, event: str) -> set[str]:
        """What the log's rows of ``event`` say in ``column``."""
        found = self.service.operator.rows(f"SELECT {column} FROM auth_audit WHERE event = '{event}'")
        return {str(value) for (value,) in found}

    def tokens_at_rest(self) -> set[str]:
        """The ``jti`` of all whose issuance the log tells."""
        return {jti for context in self.at_rest("context", "token.issued") for jti in _tokens_in(context)}

    def require_verified(self) -> None:
        """The chains and their checkpoints hold."""
        done = self.service.process.cli("audit", "verify", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        assert json.loads(done.stdout)["findings"] == []

    def until_drained(self) -> None:
        """Nothing lies in the spool any more, of whichever process."""
        spool = self.service.process.policy_file.parent / "var" / "audit-spool"
        until(lambda: not _rows_in(spool), "the spool is drained", _PATIENCE_SECONDS)

    def spooled(self) -> set[str]:
        """The ``jti`` of what lies in the spool."""
        return _rows_in(self.service.process.policy_file.parent / "var" / "audit-spool")

    def _issue(self) -> Callable[[], None]:
        mine: list[str] = []
        self.done.issued.append(mine)
        api = self._api()

        def once() -> None:
            answer = api.ask(self.client)
            if answer.status_code == 200:
                mine.append(claims(answer.json()["access_token"])["jti"])

        return once

    def _revoke(self) -> Callable[[], None]:
        api = self._api()

        def once() -> None:
            answer = api.ask(self.client)
            if answer.status_code != 200:
                return
            revoked = api.revoke(self.client, answer.json()["access_token"])
            if revoked.status_code == 200:
                self.done.revoked.append(revoked.headers["X-Request-Id"])

        return once

    def _sign_in(self) -> Callable[[], None]:
        def once() -> None:
            with Browser(self.service.process.url) as browser:
                answers: list[requests.Response] = []
                browser.session.hooks["response"].append(lambda answer, **_: answers.append(answer))
                page = browser.open(f"{self.service.process.url}/login")
                assert isinstance(page, Page)
                form = next((form for form in page.forms if "password" in form.fields), None)
                if form is None:
                    return
                browser.submit(form, "login", username=USER, password=PASSWORD)
                posted = next(one for one in answers if one.request.method == "POST")
                if posted.status_code == 303:
                    self.done.signed_in.append(posted.headers["X-Request-Id"])

        return once

    def _api(self) -> Api:
        process = self.service.process
        return Api(process.url, process.ops_url, process.url)


def _until_gone(once: Callable[[], None]) -> None:
    while True:
        try:
            once()
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError):
            return


def _rows_in(spool: Any) -> set[str]:
    if not spool.exists():
        return set()
    found = set()
    for path in spool.glob("*.jsonl"):
        try:
            lines = path.read_text().splitlines()
        except FileNotFoundError:
            continue
        for line in lines:
            # The last one may be half written.
            if line.endswith("}"):
                found |= _tokens_in(json.loads(line)["context"])
    return found


def _tokens_in(context: str) -> set[str]:
    told = json.loads(context)
    return {one["jti"] for one in told.get("tokens", [told]) if "jti" in one}
