"""A person signs in while Redis, Consul or PostgreSQL is gone: DESIGN "When a part is gone", as the browser sees it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pytest
import requests

from tests.integration.conformance.browser import Browser, Callback, Form, Page
from tests.integration.conformance.deployment import Deployment, furnish
from tests.integration.conformance.relying_party import RelyingParty, Tokens
from tests.integration.policy.kv import settings, write
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.consul import ConsulServer
from tests.servers.postgres import PostgresServer
from tests.servers.redis import RedisServer
from tests.servers.server import Server

# Codes are held while servers are restarted; what caches know is soon stale.
_POLICY = "{tokens: {authorization_code_ttl: 600}, cache: {ttl: 1, negative_ttl: 1}}"
_WISHES = {"scope": "openid email offline_access", "prompt": "consent"}
Answer = Page | Callback | requests.Response


@dataclass(frozen=True, slots=True)
class Site:
    """The service on servers that a test may end, and who uses it. ``servers``: by what readiness calls them."""

    deployment: Deployment
    servers: Mapping[str, Server]

    @property
    def service(self) -> Service:
        return self.deployment.service

    @property
    def client(self) -> RelyingParty:
        return self.deployment.client

    def until(self, dependency: str, state: str) -> None:
        """Wait until the service says so."""
        ops = f"{self.service.process.ops_url}/readyz"

        def so() -> bool:
            return bool(requests.get(ops, timeout=60).json()["dependencies"].get(dependency) == state)

        until(so, f"{dependency} to be {state}")

    def end(self, dependency: str) -> None:
        self.servers[dependency].kill()

    def bring_back(self, dependency: str) -> None:
        self.servers[dependency].start()
        self.until(dependency, "up")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("site")
    with ExitStack() as stack:
        postgres = stack.enter_context(PostgresServer(durable=True))
        redis = stack.enter_context(RedisServer(directory / "redis"))
        consul = stack.enter_context(ConsulServer(directory / "consul"))
        write(consul, _POLICY)
        process = AuthcenterProcess(
            directory / "authcenter",
            database_url=postgres.create_database(),
            settings={"AUTHCENTER_REDIS_URL": redis.url, **settings(consul)},
        )
        for service in serving(process):
            yield Site(furnish(service, "alice"), {"database": postgres, "redis": redis, "consul": consul})


@pytest.fixture
def whole(site: Site) -> Iterator[Site]:
    """All of its servers there, and afterwards again."""
    for dependency in site.servers:
        site.until(dependency, "up")
    yield site
    for dependency, server in site.servers.items():
        if not server.answers():
            site.bring_back(dependency)


STEPS = ("authorize", "login", "consent", "redeem", "userinfo", "refresh", "logout")


def sign_in_and_out(site: Site, before: Callable[[str], object]) -> None:
    """The whole way; ``before`` is called before each of ``STEPS``."""
    client = site.client
    with Browser(site.deployment.issuer) as browser:
        request = client.request(**_WISHES)
        before("authorize")
        login = page(browser.open(client.url(request)), "/login")
        before("login")
        consent = page(browser.submit(login, "login", **_password(site)), "/consent")
        before("consent")
        code = client.code(callback(browser.submit(consent, "allow")), request)
        before("redeem")
        tokens = client.tokens(client.redeem(code), nonce=request["nonce"])
        before("userinfo")
        assert client.told(tokens)["email"] == "alice@example.com"
        before("refresh")
        renewed = client.ask("refresh_token", refresh_token=tokens.body["refresh_token"])
        fresh = client.tokens(renewed, nonce=None)
        before("logout")
        confirm = page(browser.open(f"{site.deployment.issuer}/oauth/logout"), "/oauth/logout")
        done = browser.submit(confirm, "logout")
        assert isinstance(done, Page)
        assert (done.status, done.forms) == (200, [])
        require_over(site, browser, fresh)


def require_over(site: Site, browser: Browser, tokens: Tokens) -> None:
    """Nobody is signed in at this browser any more, and what was issued is worth nothing."""
    client = site.client
    request = client.request(prompt="none")
    assert client.error(callback(browser.open(client.url(request))), request) == "login_required"
    assert not site.service.api.active(Credentials(client.client_id, client.secret), tokens.access)
    assert client.userinfo(tokens.access).status_code == 401
    refused = client.ask("refresh_token", refresh_token=tokens.body["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(
    ("gone_at", "back_at"),
    [
        pytest.param("authorize", None, id="before it"),
        pytest.param("consent", None, id="in the middle"),
        pytest.param("login", "redeem", id="for a while"),
        pytest.param("refresh", "logout", id="at its end"),
    ],
)
def test_a_sign_in_goes_on_without_redis(whole: Site, gone_at: str, back_at: str | None) -> None:
    def before(step: str) -> None:
        if step == gone_at:
            whole.end("redis")
        if step == back_at:
            whole.bring_back("redis")

    sign_in_and_out(whole, before)


def test_a_sign_in_goes_on_without_consul_also_after_a_restart(whole: Site) -> None:
    def before(step: str) -> None:
        if step == "consent":
            whole.end("consul")

    sign_in_and_out(whole, before)
    whole.service.process.restart()
    whole.until("consul", "down")
    sign_in_and_out(whole, lambda _: None)


@dataclass(frozen=True, slots=True)
class Held:
    """A person and a client, each step of the way about to be taken."""

    steps: Mapping[str, Callable[[], Answer]]

    def take(self) -> dict[str, Answer]:
        return {name: step() for name, step in self.steps.items()}

    def take_again(self) -> dict[str, Answer]:
        """As people do: until there is another answer than 503."""
        answers: dict[str, Answer] = {}
        for name, step in self.steps.items():

            def answered(name: str = name, step: Callable[[], Answer] = step) -> bool:
                answers[name] = step()
                return status(answers[name]) != 503

            until(answered, f"another answer than 503 at {name}")
        return answers


def hold(site: Site, stack: ExitStack) -> Held:
    """One browser for each step that a browser takes: all of them are to be taken twice."""
    client, issuer = site.client, site.deployment.issuer

    def browser() -> Browser:
        return stack.enter_context(Browser(issuer))

    def to_consent(opened: Browser) -> tuple[Form, dict[str, str]]:
        request = client.request(**_WISHES)
        login = page(opened.open(client.url(request)), "/login")
        return page(opened.submit(login, "login", **_password(site)), "/consent"), request

    def code(opened: Browser) -> tuple[str, dict[str, str]]:
        consent, request = to_consent(opened)
        return client.code(callback(opened.submit(consent, "allow")), request), request

    newcomer, agreeing, known, leaving = browser(), browser(), browser(), browser()
    login = page(newcomer.open(client.url(client.request(**_WISHES))), "/login")
    consent, _ = to_consent(agreeing)
    first, request = code(known)
    tokens = client.tokens(client.redeem(first), nonce=request["nonce"])
    again = client.request()
    second = client.code(callback(known.open(client.url(again))), again)
    code(leaving)
    confirm = page(leaving.open(f"{issuer}/oauth/logout"), "/oauth/logout")
    return Held(
        {
            "login": partial(newcomer.submit, login, "login", **_password(site)),
            "consent": partial(agreeing.submit, consent, "allow"),
            "authorize": partial(known.open, client.url(client.request())),
            "account": partial(known.open, f"{issuer}/account"),
            "redeem": partial(client.redeem, second),
            "userinfo": partial(client.userinfo, tokens.access),
            "refresh": partial(client.ask, "refresh_token", refresh_token=tokens.body["refresh_token"]),
            "logout": partial(leaving.submit, confirm, "logout"),
        }
    )


@pytest.mark.parametrize(("begin", "end"), [("kill", "start"), ("freeze", "thaw")], ids=["killed", "frozen"])
def test_without_sql_each_step_says_so_and_can_be_taken_again(whole: Site, begin: str, end: str) -> None:
    server = whole.servers["database"]
    with ExitStack() as stack:
        held = hold(whole, stack)
        getattr(server, begin)()
        try:
            meanwhile = held.take()
        finally:
            getattr(server, end)()
        whole.until("database", "up")
        afterwards = held.take_again()
    for name, answer in meanwhile.items():
        require_unavailable(name, answer)
    page(afterwards["login"], "/consent")
    for name in ("consent", "authorize"):
        assert callback(afterwards[name]).members["code"], name
    # Nothing was spent by what failed.
    for name in ("redeem", "userinfo", "refresh", "account", "logout"):
        assert status(afterwards[name]) == 200, afterwards[name]


def status(answer: Answer) -> int | None:
    """None where the client was called."""
    match answer:
        case Callback():
            return None
        case Page():
            return answer.status
    return answer.status_code


def require_unavailable(name: str, answer: Answer) -> None:
    """503 with a time to try again: to a person as a page that says so, to a client as JSON."""
    if isinstance(answer, Page):
        told, kind, says = answer.answer, "text/html", "cannot answer right now"
    else:
        assert isinstance(answer, requests.Response), f"{name}: the client was called: {answer}"
        told, kind, says = answer, "application/json", "temporarily_unavailable"
    assert told.status_code == 503, f"{name}: {told.status_code} {told.text}"
    assert int(told.headers["Retry-After"]) > 0, name
    assert told.headers["Content-Type"].startswith(kind), name
    assert says in told.text, f"{name}: {told.text}"
    assert "Set-Cookie" not in told.headers, name


def page(shown: Answer, path: str) -> Form:
    """The form of a page that must be there."""
    assert isinstance(shown, Page), shown
    assert (shown.status, shown.path) == (200, path), shown.text
    return shown.forms[-1]


def callback(shown: Answer) -> Callback:
    assert isinstance(shown, Callback), shown
    return shown


def _password(site: Site) -> dict[str, str]:
    return {"username": site.deployment.username, "password": site.deployment.password}
