"""NGINX's cache of answers: that it spares questions, that it can be left out, and what lies in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.gateways.behind import API, Front
from tests.integration.service.api import Credentials
from tests.integration.service.running import Service
from tests.servers.echo import EchoApi
from tests.servers.nginx import NginxServer

_ASKED = 40


@pytest.fixture(params=[True, False], ids=["with the cache", "without it"])
def nginx(request: pytest.FixtureRequest, asked: Service, echo: EchoApi, tmp_path: Path) -> Iterator[NginxServer]:
    address = f"127.0.0.1:{asked.process.port}"
    with NginxServer(tmp_path, authcenter=address, api=echo.address, cached=request.param) as server:
        yield server


def questions(asked: Service) -> float:
    return asked.api.metric("authcenter_http_request_seconds_count", route="/oauth/validate/{gateway}")


def test_a_kept_answer_spares_the_question(nginx: NginxServer, asked: Service, shopper: Credentials) -> None:
    token = str(asked.api.issue(shopper, scope="read", resource=API)["access_token"])
    front, before = Front(nginx), questions(asked)
    seen = [front.ask(token) for _ in range(_ASKED)]
    assert {answer.status for answer in seen} == {200}
    assert {tuple(answer.at_api("X-Auth-Subject")) for answer in seen} == {("shopper",)}
    put = questions(asked) - before
    assert put < _ASKED if nginx.cache.exists() else put == _ASKED


def test_no_refusal_is_kept(nginx: NginxServer, asked: Service, shopper: Credentials) -> None:
    poor = str(asked.api.issue(shopper, scope="write", resource=API)["access_token"])
    front, before = Front(nginx), questions(asked)
    assert [front.status(poor) for _ in range(5)] == [403] * 5
    assert [front.status("x") for _ in range(5)] == [401] * 5
    assert questions(asked) - before == 10
    assert not [file for file in nginx.cache.rglob("*") if file.is_file()]


def test_a_token_as_long_as_they_get_is_kept_too(nginx: NginxServer, asked: Service) -> None:
    scopes = [f"scope-{number:03}-{'x' * 20}" for number in range(60)]
    client = asked.operator.client(
        f"long-{nginx.port}", "client_credentials", audiences=[API], scopes=["read", *scopes]
    )
    token = str(asked.api.issue(client, scope=" ".join(["read", *scopes]))["access_token"])
    assert len(token) > 2_500
    front, before = Front(nginx), questions(asked)
    assert [front.status(token) for _ in range(_ASKED)] == [200] * _ASKED
    assert (questions(asked) - before < _ASKED) == nginx.cache.exists()
