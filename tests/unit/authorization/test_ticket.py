"""Tickets: an unfinished sign-in comes back as it left, and only from the browser it was given to."""

import pytest

from authcenter.authorization.ticket import LIFETIME_SECONDS, Ticket, Tickets
from authcenter.core.authorization import AuthorizationRequest, ResponseMode
from authcenter.core.derived import SealingKeys
from authcenter.core.errors import OAuthError
from authcenter.core.rules import Rule
from authcenter.core.scope import Scope
from tests.workbench import SetClock

REQUEST = AuthorizationRequest(
    client_id="app",
    redirect_uri="https://app.example/callback",
    redirect_uri_sent=True,
    response_type="code",
    response_mode=ResponseMode.FORM_POST,
    asked_at=1.5,
    scope=Scope.parse("openid email"),
    resources=("https://api.example",),
    state="s" * 1_000,
    nonce="ü&?#" * 100,
    prompt=frozenset({"login", "consent"}),
    claims={"userinfo": {"name": {"essential": True}}},
)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def tickets(clock: SetClock) -> Tickets:
    return Tickets(SealingKeys.derive([b"root" * 8], "test"), clock)


def test_a_ticket_comes_back_as_it_left(tickets: Tickets) -> None:
    ticket = Ticket("authorize", tickets.lapse(), REQUEST, login_after=12.5, consent="granted")
    assert tickets.open(tickets.seal(ticket, "browser"), "browser") == ticket


@pytest.mark.parametrize(
    ("change", "browser"),
    [
        pytest.param(lambda text: text, "another", id="another browser"),
        pytest.param(lambda text: text, "", id="no browser"),
        pytest.param(lambda text: text[:-2], "browser", id="cut off"),
        pytest.param(
            lambda text: ("A" if text[20] != "A" else "B").join([text[:20], text[21:]]), "browser", id="altered"
        ),
        pytest.param(lambda _: "", "browser", id="empty"),
        pytest.param(lambda _: "ä" * 50, "browser", id="not ASCII"),
        pytest.param(lambda _: "A" * 20_000, "browser", id="too long"),
    ],
)
def test_what_was_not_sealed_for_this_browser_is_refused(tickets: Tickets, change, browser: str) -> None:
    sealed = tickets.seal(Ticket("account", tickets.lapse()), "browser")
    with pytest.raises(OAuthError) as refused:
        tickets.open(change(sealed), browser)
    assert refused.value.rule is Rule.TICKET_INVALID


def test_a_ticket_lapses(tickets: Tickets, clock: SetClock) -> None:
    sealed = tickets.seal(Ticket("account", tickets.lapse()), "browser")
    clock.advance(LIFETIME_SECONDS)
    with pytest.raises(OAuthError) as refused:
        tickets.open(sealed, "browser")
    assert refused.value.rule is Rule.TICKET_EXPIRED
