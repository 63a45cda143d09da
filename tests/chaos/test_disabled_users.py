"""A person is disabled while three instances are at work: nothing they hold opens anything after the bound.

DESIGN "Revocation": what one instance has acknowledged the others refuse at once by the stream, and without Redis
within the 2 s of the poll. The load of others goes on and is answered rightly.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count

import pytest

from authcenter.core.digest import Digest
from authcenter.core.scope import ADMIN
from authcenter.http.pages.browser import new_session_cookie
from authcenter.wiring.core import Core
from authcenter.wiring.operators import build_oversight
from tests.chaos.caller import Caller
from tests.chaos.fleet import Fleet, fleet
from tests.chaos.notes import INTROSPECT_REVOKED
from tests.chaos.old_tokens import Use, active, old_tokens
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD, Operator
from tests.workbench import ORIGIN

# Of a case that takes a quarter of a minute; a machine may be busy with much else.
pytestmark = pytest.mark.timeout(400)

BOUND_SECONDS = 2.0
_BUSY_MACHINE_SECONDS = 3.0
"""What the database and Redis may lose to others; what an instance itself loses is measured."""

_NUMBERS = count()


@dataclass(frozen=True, slots=True)
class Office:
    """The deployment, and the client by which operators ask."""

    fleet: Fleet
    operator: Operator
    client: Credentials

    def sign_in(self, username: str) -> str:
        """The cookie of a new session."""
        cookie, digest = new_session_cookie()

        async def act(core: Core) -> None:
            user = await core.accounts.get(username)
            await build_oversight(core).sessions.sign_in(user, Digest(digest), ORIGIN, amr=["pwd"])

        self.operator.act(act)
        return cookie

    def post(self, instance: int, path: str, token: str = "") -> int:
        """The status of a ``POST`` to the admin API of an instance."""
        api = self.fleet.instances[instance].api
        held = token or api.issue(self.client, scope=ADMIN)["access_token"]
        return api.post(f"/admin/v1{path}", headers={"Authorization": f"Bearer {held}"}).status_code


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with fleet(tmp_path_factory.mktemp("fleet")) as running:
        environment = running.instances[0].process.environment
        operator = Operator(environment)
        audience = f"{environment['AUTHCENTER_ISSUER']}/admin"
        grants = ("client_credentials", "password")
        client = operator.client("backoffice", *grants, scopes=[ADMIN], audiences=[audience], first_party=True)
        yield Office(running, operator, client)


def by_the_admin_api(office: Office, subject: str) -> None:
    assert office.post(0, f"/users/{subject}/disable") == 200


def by_the_command(office: Office, subject: str) -> None:
    done = office.fleet.instances[0].process.cli("users", "disable", subject)
    assert done.returncode == 0, done.stderr


@contextmanager
def well(_: Fleet) -> Iterator[None]:
    yield


@contextmanager
def redis_gone(running: Fleet) -> Iterator[None]:
    """And everybody knows it."""
    running.servers["redis"].kill()
    try:
        running.until_up("redis", up=False)
        yield
    finally:
        running.servers["redis"].start()


@contextmanager
def redis_frozen(running: Fleet) -> Iterator[None]:
    """At that very moment: nobody knows it yet, and nothing is announced."""
    running.servers["redis"].freeze()
    try:
        yield
    finally:
        running.servers["redis"].thaw()


CASES = [
    pytest.param(by_the_admin_api, well, id="by the admin API"),
    pytest.param(by_the_admin_api, redis_gone, id="by the admin API, Redis gone"),
    pytest.param(by_the_admin_api, redis_frozen, id="by the admin API, Redis frozen"),
    pytest.param(by_the_command, redis_gone, id="by the command, Redis gone"),
]


@pytest.mark.parametrize(("disable", "redis"), CASES)
def test_no_request_with_an_old_token_succeeds_after_the_bound(
    office: Office, disable: Callable[[Office, str], None], redis: Callable[[Fleet], AbstractContextManager[None]]
) -> None:
    running = office.fleet
    running.until_well()
    username = f"mallory{next(_NUMBERS)}"
    subject = office.operator.user(username, "operator").subject
    held = [caller.sign_in(username, PASSWORD) for caller in running.callers]
    cookie = office.sign_in(username)
    admin = running.instances[0].api.issue(office.client, "password", username=username, password=PASSWORD, scope=ADMIN)
    own = admin["access_token"]
    assert {office.post(number, f"/users/{subject}/enable", own) for number in range(3)} == {200}
    with running.traffic() as traffic, old_tokens(running, held[1]["access_token"], cookie) as told:
        traffic.until_answered(time.monotonic(), but=INTROSPECT_REVOKED)
        until(lambda: told.everywhere(True, 0.0), "everybody accepts what they hold")
        with redis(running):
            disable(office, subject)
            acknowledged, starved = time.monotonic(), [told.starved(number) for number in range(3)]
            # What asks the record itself knows it at once, whatever has been announced.
            for number, caller in enumerate(running.callers):
                assert settled(partial(refresh, caller, held[number]["refresh_token"])) == 400
                assert settled(partial(office.post, number, f"/users/{subject}/enable", own)) == 401
            until(lambda: told.everywhere(False, acknowledged), "everybody refuses what they hold")
            for tokens in held:
                until(partial(refused, running, tokens["access_token"]), "nobody accepts another of theirs")
            until(lambda: told.everywhere(False, acknowledged + BOUND_SECONDS), "they are asked after the bound")
        running.until_well()
        office.operator.act(lambda core: core.accounts.enable(subject, actor="test"))
        # Instances hear of it within the bound, as of the disabling; until then they cannot tell.
        again = {"grant_type": "password", "username": username, "password": PASSWORD}
        until(lambda: running.callers[0].post("/oauth/token", **again).status == 200, "they sign in again")
        back = running.callers[0].sign_in(username, PASSWORD)["access_token"]
        until(lambda: all(active(caller, back) for caller in running.callers), "they are let in again")
        enabled = time.monotonic()
        until(lambda: told.everywhere(False, enabled), "what they held stays refused")

    for what, number in told.kinds:
        require_refused_for_good(told.of(what, number), acknowledged, starved[number])
    assert not [note for note in traffic.told.notes if note.wrong]


def refused(running: Fleet, token: str) -> bool:
    return all(active(caller, token) is False for caller in running.callers)


def refresh(caller: Caller, token: str) -> int:
    return caller.refresh(token).status


def settled(ask: Callable[[], int]) -> int:
    """The status of the first answer that is not 'cannot tell now'."""
    statuses: list[int] = []

    def told() -> bool:
        statuses.append(ask())
        return statuses[-1] != 503

    until(told, "an answer")
    return statuses[-1]


def require_refused_for_good(uses: Sequence[Use], acknowledged: float, starved: float) -> None:
    """Accepted until it was, then refused: from the bound on at the latest, and never accepted again."""
    first = next(at for at, use in enumerate(uses) if not use.accepted)
    assert all(use.accepted for use in uses[:first])
    assert not [use for use in uses[first:] if use.accepted]
    late = [use.sent - acknowledged - (use.starved - starved) for use in uses[:first]]
    print(f"{uses[0].what}, instance {uses[0].instance}: accepted until {max(late):+.2f} s after it was acknowledged")
    assert max(late) < BOUND_SECONDS + _BUSY_MACHINE_SECONDS
