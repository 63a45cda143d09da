"""The device flow on a running service: a person at one process, the device at another."""

import html
import re
from concurrent.futures import ThreadPoolExecutor

import requests

from authcenter.core.device import DEVICE_CODE_GRANT
from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service

POLLS = 50
_HANG_SECONDS = 60


def answered(service: Service, user_code: str, username: str, answer: str) -> str:
    """The page that somebody sees who enters the code, signs in, and answers."""
    with requests.Session() as browser:
        browser.trust_env = False
        page = browser.get(f"{service.process.url}/device", timeout=_HANG_SECONDS)
        for path, values in (
            ("/device", {"user_code": user_code.lower()}),
            ("/login", {"username": username, "password": PASSWORD, "act": "login"}),
            ("/device", {"answer": answer}),
        ):
            hidden = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
            form = {name: html.unescape(value) for name, value in hidden} | values
            # Behind one issuer the processes look like one: redirects go to paths.
            page = browser.post(f"{service.process.url}{path}", data=form, timeout=_HANG_SECONDS)
            assert page.status_code == 200, page.text
        return page.text


def begun(service: Service, client: Credentials) -> dict[str, str]:
    answer = service.api.post("/oauth/device_authorization", {**client.form(), "scope": "read"})
    assert answer.status_code == 200, answer.text
    codes: dict[str, str] = answer.json()
    service.api.secrets |= {codes["device_code"], codes["user_code"], codes["user_code"].replace("-", "")}
    return codes


def test_a_person_says_no(either: Service) -> None:
    client = either.operator.client("deny-tv", DEVICE_CODE_GRANT, scopes=["read"], public=True)
    either.operator.user("deny-ada")
    codes = begun(either, client)
    assert either.api.ask(client, DEVICE_CODE_GRANT, device_code=codes["device_code"]).json()["error"] == (
        "authorization_pending"
    )
    assert "Access denied" in answered(either, codes["user_code"], "deny-ada", "deny")
    told = either.api.ask(client, DEVICE_CODE_GRANT, device_code=codes["device_code"])
    assert (told.status_code, told.json()["error"]) == (400, "access_denied")


def test_of_fifty_polls_at_two_processes_one_wins_and_then_its_tokens_are_dead(
    on_postgres: Service, beside: Service
) -> None:
    client = on_postgres.operator.client(
        "race-tv", DEVICE_CODE_GRANT, "refresh_token", scopes=["read"], audiences=["https://a.example"], public=True
    )
    resource = on_postgres.operator.client("race-api", "client_credentials", serves=["https://a.example"])
    on_postgres.operator.user("race-ada")
    codes = begun(on_postgres, client)
    assert "Your device is connected" in answered(beside, codes["user_code"], "race-ada", "allow")

    def poll(number: int) -> requests.Response:
        form = {**client.form(), "grant_type": DEVICE_CODE_GRANT, "device_code": codes["device_code"]}
        at = (on_postgres, beside)[number % 2].process.url
        return requests.post(f"{at}/oauth/token", data=form, timeout=_HANG_SECONDS)

    with ThreadPoolExecutor(POLLS) as devices:
        answers = list(devices.map(poll, range(POLLS)))
    won = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(won) == 1, [answer.text for answer in answers]
    assert {answer.json()["error"] for answer in answers if answer.status_code != 200} == {"invalid_grant"}
    for service in (on_postgres, beside):
        until(lambda at=service: not at.api.active(resource, won[0]["access_token"]), "the access token is dead")
        assert service.api.ask(client, "refresh_token", refresh_token=won[0]["refresh_token"]).status_code == 400
