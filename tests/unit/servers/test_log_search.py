"""The search of the logs finds what it is for, and is not alarmed by what resembles it."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import requests
from aiohttp import web

from tests.servers.listening import listening
from tests.servers.log_search import LogSearch

RANDOM = "Zk3v9-QmT_x7LwYc2NfRb8PdHs5JaEuG"
HEADER = "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9"
JWT = f"{HEADER}.eyJpc3MiOiJodHRwczovL2F1dGgifQ.{RANDOM}"
SERVICE = ["python", "-m", "authcenter", "serve"]

SECRETS = [
    pytest.param(JWT, JWT, id="a JWT"),
    pytest.param(JWT, RANDOM, id="the signature of a JWT"),
    pytest.param(f"acr_selectorselector.{RANDOM}", f"token=acr_selectorselector.{RANDOM}&x=1", id="a refresh token"),
    pytest.param(RANDOM, f"line\n{RANDOM}\nline", id="after an escape"),
    pytest.param(RANDOM, f'quoted "{RANDOM}"', id="in quotes"),
    pytest.param("correct horse battery", "the password correct horse battery is wrong", id="a password of words"),
]


def searched(tmp_path: Path, *lines: str, command: list[str] | None = None) -> LogSearch:
    search, log = LogSearch(), tmp_path / "service.log"
    log.write_text("".join(json.dumps({"event": "request", "hint": line}) + "\n" for line in lines))
    search.watch(command or SERVICE, {}, log)
    return search


@pytest.mark.parametrize(("secret", "said"), SECRETS)
def test_a_secret_in_a_log_is_found_and_not_repeated(tmp_path: Path, secret: str, said: str) -> None:
    search = searched(tmp_path, "nothing", said)
    search.note(secret)
    (found,) = search.found()
    assert found.startswith(f"{tmp_path / 'service.log'}:2: ")
    assert RANDOM not in found


@pytest.mark.parametrize("said", [HEADER, RANDOM[:-1], RANDOM + "x", "acr_selectorselector", "correct horse"])
def test_what_is_no_secret_is_not_found(tmp_path: Path, said: str) -> None:
    search = searched(tmp_path, said)
    search.note(JWT, f"acr_selectorselector.{RANDOM}", "correct horse battery", "short")
    assert search.found() == []


def test_only_services_that_hide_their_secrets_are_searched(tmp_path: Path) -> None:
    search = searched(tmp_path, RANDOM, command=["redis-server"])
    search.watch([*SERVICE, "--demo"], {}, tmp_path / "service.log")
    search.note(RANDOM)
    assert search.found() == []


def test_the_settings_of_a_service_are_secrets(tmp_path: Path) -> None:
    search = searched(tmp_path)
    search.watch(SERVICE, {"AUTHCENTER_REDIS_URL": f"redis://u:{RANDOM}@c/0"}, tmp_path / "other.log")
    (tmp_path / "other.log").write_text(f"redis://u:{RANDOM}@c/0\n")
    assert len(search.found()) == 1


ANSWERS = [
    pytest.param({"access_token": RANDOM}, id="an access token"),
    pytest.param({"refresh_token": f"acr_x.{RANDOM}", "expires_in": 1}, id="a refresh token"),
    pytest.param({"client_secret": RANDOM}, id="a client secret"),
    pytest.param({"code": f"acc_{RANDOM}"}, id="a code"),
]


@pytest.fixture
async def echo() -> AsyncIterator[str]:
    """Answers with what it is asked to, and a cookie."""

    async def answer(request: web.Request) -> web.Response:
        made = web.Response(body=request.headers["Answer"], content_type="application/json")
        made.set_cookie("sid", RANDOM[::-1])
        return made

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    await runner.cleanup()


async def with_requests(url: str, form: dict[str, str], headers: dict[str, str]) -> None:
    await asyncio.to_thread(requests.post, url, data=form, headers=headers, timeout=60)


async def with_aiohttp(url: str, form: dict[str, str], headers: dict[str, str]) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, data=form, headers=headers) as answer:
        await answer.json()


@pytest.mark.parametrize("ask", [with_requests, with_aiohttp])
@pytest.mark.parametrize("body", ANSWERS)
async def test_what_clients_send_and_get_is_noted(echo: str, ask: object, body: dict[str, object]) -> None:
    search, login = LogSearch(), b64encode(b"app:the-secret-of-the-app").decode()
    with listening(search):
        headers = {"Answer": json.dumps(body), "Authorization": f"Basic {login}"}
        await ask(echo, {"password": "correct horse battery", "username": "alice-in-wonderland"}, headers)
    assert RANDOM[::-1].encode() in search.needles
    assert b"the-secret-of-the-app" in search.needles
    assert b"correct horse battery" in search.phrases
    assert any(needle.endswith(RANDOM.encode()) for needle in search.needles)
    assert b"alice-in-wonderland" not in search.needles


async def test_a_problem_is_no_secret(echo: str) -> None:
    search = LogSearch()
    with listening(search):
        await with_aiohttp(echo, {}, {"Answer": json.dumps({"code": "redirect_uri_mismatch", "title": "access_token"})})
    assert search.needles == {RANDOM[::-1].encode()}
