"""People who do not get in, each explained from the request id alone."""

import subprocess
import sys
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from tests.integration.conformance.browser import Browser, Page
from tests.integration.conformance.deployment import random_text
from tests.integration.explain.site import CALLBACK, USER, Site
from tests.integration.service.api import until
from tests.integration.service.record import PASSWORD

WRONG = "battery horse correct staple"


def shown(site: Site, **parameters: str) -> tuple[Browser, Page]:
    """The login page, in a browser of its own."""
    browser = Browser(site.url)
    site.heard(browser.session)
    page = browser.open(site.link(site.program(), random_text(48), **parameters))
    assert isinstance(page, Page)
    assert page.path == "/login"
    return browser, page


def test_a_wrong_password_on_the_page(site: Site) -> None:
    site.service.api.secrets.add(WRONG)
    browser, page = shown(site)
    with browser:
        form = next(form for form in page.forms if "password" in form.fields)
        again = browser.submit(form, "login", username=USER, password=WRONG)
        assert isinstance(again, Page)
        story = site.explained(again.answer)
    assert story.rule == "user_password_wrong"
    # Nothing by which somebody could guess on: not what came, nor how long it was, nor a digest.
    assert story.facts("password") == {"subject": site.subject, "differs": True}
    assert "the password that came differs" in story.evidence


def test_a_wrong_password_in_a_token_request(site: Site) -> None:
    form = {"grant_type": "password", "username": USER, "password": WRONG}
    answer = site.ask("POST", "/oauth/token", data=form, auth=("shop", str(site.shop.secret)))
    story = site.explained(answer, "sign_in.refused: ")
    assert (story.rule, story.client) == ("user_password_wrong", "shop")
    assert story.facts("password") == {"subject": site.subject, "differs": True}


def test_a_person_who_was_disabled(site: Site) -> None:
    user = site.service.operator.user("mallory")
    form = {"grant_type": "password", "username": "mallory", "password": PASSWORD, "scope": "orders.read"}
    tokens = site.ask("POST", "/oauth/token", data=form, auth=("shop", str(site.shop.secret))).json()
    site.service.api.secrets |= {str(tokens[name]).rpartition(".")[2] for name in ("access_token", "refresh_token")}
    site.operator("users", "disable", "mallory")

    story = site.explained(site.ask("POST", "/oauth/token", data=form, auth=("shop", str(site.shop.secret))))
    assert story.rule == "user_disabled"
    assert story.facts("user")["subject"] == user.subject
    assert story.facts("user")["disabled_at"].startswith("20")
    assert "user.disabled by cli:" in story.evidence

    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    story = site.explained(site.ask("POST", "/oauth/token", data=refresh, auth=("shop", str(site.shop.secret))))
    assert story.rule in {"refresh_family_ended", "refresh_user_gone"}
    assert "user.disabled by cli:" in story.evidence


def test_a_person_who_says_no(site: Site) -> None:
    site.service.operator.client(
        "stranger", "authorization_code", scopes=["orders.read"], redirect_uris=[CALLBACK], public=True
    )
    pkce = {"code_challenge": create_s256_code_challenge(random_text(48)), "code_challenge_method": "S256"}
    request = {"client_id": "stranger", "redirect_uri": CALLBACK, "response_type": "code", **pkce}
    arrived = site.arrive(f"{site.url}/oauth/authorize?{urlencode(request)}", agrees=False)
    assert dict(parse_qsl(urlsplit(arrived).query))["error"] == "access_denied"
    story = site.explained(site.last)
    assert (story.rule, story.client) == ("consent_denied", "stranger")
    assert story.facts("consent") == {"answered": "denied", "subject": site.subject}


def test_a_silent_sign_in_where_nobody_is_signed_in(site: Site) -> None:
    pkce = {"code_challenge": create_s256_code_challenge(random_text(48)), "code_challenge_method": "S256"}
    answer = site.authorize(client_id="shop", redirect_uri=CALLBACK, prompt="none", **pkce)
    assert dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["error"] == "login_required"
    story = site.explained(answer)
    assert (story.rule, story.client) == ("prompt_none", "shop")
    assert story.facts("session") == {"signed_in": False, "missing": "login", "prompt": "none"}


@pytest.mark.parametrize("cookies", [True, False], ids=["another page's token", "no cookies"])
def test_a_form_without_the_token_of_its_page(site: Site, cookies: bool) -> None:
    browser, page = shown(site)
    with browser:
        form = next(form for form in page.forms if "password" in form.fields)
        form.fields["csrf"] = "another"
        if not cookies:
            browser.session.cookies.clear()
        refused = browser.submit(form, "login", username=USER, password=PASSWORD)
        assert isinstance(refused, Page)
        assert refused.status == 403
        story = site.explained(refused.answer)
    assert story.rule == "csrf_token"
    assert story.facts("csrf_token") == {"cookie_sent": cookies, "token_sent": True}


def test_a_sign_in_carried_to_another_browser(site: Site) -> None:
    browser, page = shown(site)
    with browser, Browser(site.url) as another:
        another.open(f"{site.url}/login")
        site.heard(another.session)
        carried = another.open(page.url)
        assert isinstance(carried, Page)
        story = site.explained(carried.answer)
    assert story.rule == "ticket_invalid"
    assert story.facts("ticket")["opens"] is False


def test_the_command_tells_it_to_a_person(site: Site) -> None:
    """As a child, on a terminal's worth of text."""
    answer = site.authorize(client_id="shop", redirect_uri=f"{CALLBACK}s")
    site.explained(answer)
    request_id = answer.headers["X-Request-Id"]
    done = subprocess.run(
        [sys.executable, "-m", "authcenter", "explain", request_id],
        env=site.service.process.environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert "REFUSED by redirect_uri" in done.stdout
    assert "`s` is too much" in done.stdout
    assert "Remedy: " in done.stdout


def test_requests_are_found_by_client_and_time(site: Site) -> None:
    answer = site.authorize(client_id="shop", redirect_uri=f"{CALLBACK}?found")
    site.explained(answer)
    found = site.operator("explain", "--client", "shop", "--rule", "redirect_uri", "--since", "1h", "--most", "100")
    assert answer.headers["X-Request-Id"] in [one["request_id"] for one in found]
    assert {one["rule"] for one in found} == {"redirect_uri"}
    assert site.operator("explain", "--client", "shop", "--since", "2999-01-01T00:00:00Z") == []


def test_what_was_granted_is_told_check_by_check(site: Site) -> None:
    site.signed_in()
    request_id = site.last.headers["X-Request-Id"]
    until(lambda: site.console.run("explain", request_id).exit_code == 0, "it can be explained")
    told = site.operator("explain", request_id)
    assert told["granted"]
    assert {"client_authentication", "grant_type", "code", "pkce"} <= {one["name"] for one in told["checks"]}
    assert all(one["passed"] for one in told["checks"])
    assert any(event.startswith("token.issued: ") for event in told["events"])


def test_an_id_that_nobody_knows(site: Site) -> None:
    said = site.console.refused("explain", "0192-nobody", exit_code=1)
    assert "is not known, or not any more" in said
