"""An API behind NGINX and behind HAProxy: who gets to it, and what it is told of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import unquote

import jwt
import pytest

from authcenter.jose.algorithms import Alg
from tests.integration.gateways.behind import API, POLICY, Front
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, policy

pytestmark = pytest.mark.long

OTHER = "https://other.example"
_ROTATIONS = 6


def token(asked: Service, client: Credentials, scope: str = "read", resource: str = API, **form: str) -> str:
    return str(asked.api.issue(client, scope=scope, resource=resource, **form)["access_token"])


def test_a_good_token_gets_through_and_the_api_is_told_whose_it_is(
    front: Front, asked: Service, shopper: Credentials, kind: str
) -> None:
    name = f"alice-{kind}"
    user = asked.operator.user(name, "buyer", "staff")
    held = token(asked, shopper, "read write", grant_type="password", username=name, password=PASSWORD)
    for _ in range(2):
        seen = front.ask(held)
        assert seen.status == 200
        assert seen.at_api("X-Auth-Subject") == [user.subject]
        assert seen.at_api("X-Auth-Client") == ["shopper"]
        assert [unquote(value) for value in seen.at_api("X-Auth-Scope")] == ["read write"]
        assert [unquote(value) for value in seen.at_api("X-Auth-Roles")] == ["buyer staff"]
        assert not any(seen.at_api("X-Auth-Username"))


def test_the_api_gets_method_path_query_and_body_and_authcenter_gets_no_body(
    front: Front, asked: Service, shopper: Credentials
) -> None:
    seen = front.ask(token(asked, shopper), "/orders/7?q=a%2Fb", method="POST", body="x" * 5_000)
    assert seen.api is not None
    assert (seen.status, seen.api["method"], seen.api["path"]) == (200, "POST", "/orders/7?q=a%2Fb")
    assert seen.api["body"] == "x" * 5_000


FORGED = [
    "X-Auth-Subject",
    "x-auth-subject",
    "X-AUTH-SUBJECT",
    "X-Auth-Client",
    "X-Auth-Scope",
    "X-Auth-Username",
    "X-Auth-Roles",
    "X-Auth-Acr",
    "X_Auth_Subject",
    "x_auth_roles",
    "X-Auth_Subject",
    "X_Auth-Roles",
    "X.Auth.Subject",
    "X-Auth.Roles",
    "X__Auth__Acr",
]


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("name", FORGED)
def test_what_a_caller_says_of_itself_never_gets_to_the_api(
    front: Front, asked: Service, shopper: Credentials, name: str, times: int
) -> None:
    seen = front.ask(token(asked, shopper), headers=[(name, "forged")] * times)
    assert seen.status == 200
    assert "forged" not in seen.body
    assert seen.at_api("X-Auth-Subject") == ["shopper"]


def test_headers_that_end_before_their_colon_get_nowhere(front: Front, asked: Service, shopper: Credentials) -> None:
    for name in ("X-Auth-Subject ", "X-Auth-Subject\t"):
        seen = front.ask(token(asked, shopper), headers=[(name, "forged")])
        assert "forged" not in seen.body


def test_without_a_good_token_nobody_gets_through(front: Front, asked: Service, shopper: Credentials) -> None:
    good, elsewhere = token(asked, shopper), token(asked, shopper, resource=OTHER)
    altered = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    for _ in range(2):
        assert front.status(good) == 200
        for refused in (None, "x", elsewhere, altered, good.rpartition(".")[0], f"{good} {good}"):
            seen = front.ask(refused)
            assert (seen.status, seen.api) == (401, None)
            assert seen.headers["www-authenticate"].startswith('Bearer realm="authcenter"')
        assert front.status(None, f"/orders?access_token={good}") == 401


def test_two_authorization_headers_get_nobody_through(front: Front, asked: Service, shopper: Credentials) -> None:
    good = token(asked, shopper)
    for first, second in ((good, "x"), ("x", good), (good, good)):
        seen = front.ask(first, headers=[("Authorization", f"Bearer {second}")])
        assert (seen.status in (400, 401), seen.api) == (True, None)


def test_a_missing_scope_is_403_and_named(front: Front, asked: Service, shopper: Credentials) -> None:
    poor = token(asked, shopper, "write")
    for _ in range(2):
        seen = front.ask(poor)
        assert (seen.status, seen.api) == (403, None)
        assert 'error="insufficient_scope"' in seen.headers["www-authenticate"]
        assert 'scope="read"' in seen.headers["www-authenticate"]


@pytest.mark.parametrize("status", [401, 403, 404, 500, 502, 503])
def test_refusals_and_failures_of_the_api_are_its_own(
    front: Front, asked: Service, shopper: Credentials, status: int
) -> None:
    seen = front.ask(token(asked, shopper), f"/status/{status}")
    assert (seen.status, seen.api is not None) == (status, True)


def test_a_preflight_is_refused_like_any_request_without_a_token(front: Front) -> None:
    seen = front.ask(method="OPTIONS", headers=[("Origin", "https://page.example")])
    assert (seen.status, seen.api) == (401, None)


def test_a_revoked_token_is_refused(front: Front, asked: Service, shopper: Credentials) -> None:
    held, other = token(asked, shopper), token(asked, shopper)
    assert (front.status(held), front.status(other)) == (200, 200)
    assert asked.api.revoke(shopper, held).status_code == 200
    until(lambda: front.status(held) == 401, "the gateway refuses a revoked token")
    assert (front.status(held), front.status(other)) == (401, 200)


def test_many_callers_at_once_are_never_mistaken_for_each_other(front: Front, asked: Service, kind: str) -> None:
    names = [f"caller-{kind}-{number}" for number in range(6)]
    clients = [asked.operator.client(name, "client_credentials", audiences=[API], scopes=["read"]) for name in names]
    tokens = {name: token(asked, client) for name, client in zip(names, clients, strict=True)}

    def told(name: str) -> list[str]:
        return front.ask(tokens[name]).at_api("X-Auth-Subject")

    with ThreadPoolExecutor(8) as callers:
        asked_for = names * 25
        assert list(callers.map(told, asked_for)) == [[name] for name in asked_for]


def test_keys_are_rotated_under_load_and_nobody_is_refused(front: Front, asked: Service, shopper: Credentials) -> None:
    over = False
    kids: set[str] = set()

    def call() -> list[int]:
        statuses = []
        first = token(asked, shopper)
        while not over:
            newest = token(asked, shopper)
            kids.add(jwt.get_unverified_header(newest)["kid"])
            statuses += [front.status(newest), front.status(newest), front.status(first)]
        return statuses

    with ThreadPoolExecutor(3) as callers:
        calls = [callers.submit(call) for _ in range(3)]
        try:
            until(lambda: kids, "the first key signs")
            for _ in range(_ROTATIONS):
                before = len(kids)
                asked.operator.act(lambda core: core.rotation.rotate(Alg.ES256, timedelta(0), "test"))
                until(
                    lambda before=before: len(kids) > before or any(one.done() for one in calls), "the next key signs"
                )
        finally:
            over = True
        statuses = [status for one in calls for status in one.result()]
    assert set(statuses) == {200}
    assert len(kids) > _ROTATIONS


def test_what_the_policy_demands_of_a_gateway_takes_effect_without_a_restart(
    front: Front, asked: Service, shopper: Credentials
) -> None:
    held = token(asked, shopper)
    pid = front.server.child.pid
    assert front.status(held) == 200
    with policy(asked, POLICY.replace("[read]", "[read, write]")):
        until(lambda: front.status(held) == 403, "one more scope is demanded")
    until(lambda: front.status(held) == 200, "it is demanded no longer")
    with policy(asked, POLICY.replace(API, OTHER)):
        until(lambda: front.status(held) == 401, "another audience is demanded")
    with policy(asked, "gateways: {}\n"):
        until(lambda: front.status(held) == 503, "the gateway is unknown")
        assert front.ask(held).api is None
    until(lambda: front.status(held) == 200, "the gateway is known again")
    assert front.server.child.pid == pid


def test_authcenters_log_tells_what_was_asked_for_and_no_secret(
    front: Front, asked: Service, shopper: Credentials
) -> None:
    before = asked.process.log.read_text().count('"original_path":"/logged/path"')
    assert front.ask(token(asked, shopper, "write"), "/logged/path?code=s3cret", method="DELETE").status == 403
    until(
        lambda: asked.process.log.read_text().count('"original_path":"/logged/path"') > before, "the path is in the log"
    )
    line = next(line for line in reversed(asked.process.log.read_text().splitlines()) if '"/logged/path"' in line)
    assert '"original_method":"DELETE"' in line
    assert '"rule":"token_scope"' in line
    assert "s3cret" not in asked.process.log.read_text()


def test_the_caller_finds_no_trace_of_authcenters_own_headers(
    front: Front, asked: Service, shopper: Credentials
) -> None:
    seen = front.ask(token(asked, shopper))
    assert not {"x-accel-expires", "x-auth-subject", "x-auth-client"} & set(seen.headers)
