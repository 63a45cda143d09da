"""A running service with its policy in Consul: changed, refused, cut off, restarted without it."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from authcenter.settings.policy import parse_policy
from tests.integration.policy.kv import settings, write
from tests.integration.service.api import Api, Credentials, until
from tests.integration.service.record import Operator
from tests.integration.service.running import Service, alive
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.consul import ConsulServer

pytestmark = pytest.mark.long


def process_on(consul: ConsulServer, directory: Path, **more: str) -> AuthcenterProcess:
    return AuthcenterProcess(directory, settings={**settings(consul), **more})


@contextmanager
def api_of(process: AuthcenterProcess) -> Iterator[Service]:
    with Api(process.url, process.ops_url, process.environment["AUTHCENTER_ISSUER"]) as api:
        yield Service(process, api, Operator(process.environment))


@pytest.fixture
def on_consul(consul: ConsulServer, tmp_path: Path) -> Iterator[Service]:
    write(consul, "tokens: {access_ttl: 61}")
    with process_on(consul, tmp_path / "one") as process, api_of(process) as service:
        yield service


def reloads(service: Service, outcome: str) -> float:
    return service.api.metric("authcenter_config_reload_total", source="consul", outcome=outcome)


def ready(service: Service) -> dict[str, Any]:
    return dict(service.api.ops("/readyz").json())


def logged(service: Service, event: str) -> list[dict[str, Any]]:
    lines = service.process.log.read_text().splitlines()
    return [json.loads(line) for line in lines if f'"event":"{event}"' in line.replace('": "', '":"')]


def consul_up(service: Service) -> float:
    return service.api.metric("authcenter_dependency_up", dependency="consul")


def lifetime(service: Service, client: Credentials) -> int:
    return int(service.api.issue(client)["expires_in"])


def test_the_first_request_already_has_the_policy_of_consul(on_consul: Service) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    assert lifetime(on_consul, client) == 61
    report = ready(on_consul)
    version = parse_policy("tokens: {access_ttl: 61}", source="consul").version
    assert (report["policy_version"], report["policy_source"]) == (version, "consul")
    assert report["dependencies"] == {"consul": "up", "consul_keys": "up", "database": "up"}
    assert on_consul.api.metric("authcenter_config_version", version=version) == 2


def test_a_change_is_seen_and_a_wrong_one_refused_and_named(on_consul: Service, consul: ConsulServer) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    write(consul, "tokens: {access_ttl: 62}")
    until(lambda: lifetime(on_consul, client) == 62, "the change")
    good = ready(on_consul)
    write(consul, "tokens: {access_ttl: 63, leeway: -1}")
    until(lambda: reloads(on_consul, "rejected") == 1, "it is refused")
    assert lifetime(on_consul, client) == 62
    assert ready(on_consul) == good
    (line,) = logged(on_consul, "policy_rejected")
    assert (line["source"], line["in_force"]) == ("consul", good["policy_version"])
    assert line["problems"][0].startswith("tokens.leeway: ")


def test_what_is_lost_takes_nothing_away(on_consul: Service, consul: ConsulServer) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    consul.kill()
    until(lambda: consul_up(on_consul) == 0, "the outage is noticed")
    report = ready(on_consul)
    assert (report["status"], report["dependencies"]["consul"], report["policy_source"]) == (
        "degraded",
        "down",
        "consul",
    )
    assert on_consul.api.ops("/readyz").status_code == 200
    assert lifetime(on_consul, client) == 61
    consul.restart_empty()
    until(lambda: consul_up(on_consul) == 1, "it is back")
    until(lambda: bool(logged(on_consul, "policy_absent")), "that it is empty is told")
    assert lifetime(on_consul, client) == 61
    write(consul, "tokens: {access_ttl: 62}")
    until(lambda: lifetime(on_consul, client) == 62, "the new history is followed")
    downs = [line for line in logged(on_consul, "dependency_down") if line["dependency"] == "consul"]
    ups = [line for line in logged(on_consul, "dependency_up") if line["dependency"] == "consul"]
    assert (len(downs), len(ups), len(logged(on_consul, "policy_absent"))) == (1, 2, 1)


def test_a_frozen_consul_costs_no_request_anything(on_consul: Service, consul: ConsulServer) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    consul.freeze()
    until(lambda: consul_up(on_consul) == 0, "it is noticed")
    assert lifetime(on_consul, client) == 61
    consul.thaw()
    until(lambda: consul_up(on_consul) == 1, "it is back")


def test_a_restart_without_consul_goes_on_with_the_last_good_policy(on_consul: Service, consul: ConsulServer) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    write(consul, "tokens: {access_ttl: 62}")
    until(lambda: lifetime(on_consul, client) == 62, "the change")
    write(consul, "tokens: {access_ttl: 1}")
    until(lambda: reloads(on_consul, "rejected") == 1, "a wrong one is refused, and not kept")
    copy = Path(on_consul.process.environment["AUTHCENTER_STATE_DIR"]) / "policy.last.yaml"
    assert copy.stat().st_mode & 0o777 == 0o600
    consul.kill()
    on_consul.process.restart()
    assert lifetime(on_consul, client) == 62
    assert (ready(on_consul)["policy_source"], ready(on_consul)["status"]) == ("last good copy", "degraded")
    consul.restart()
    write(consul, "tokens: {access_ttl: 63}")
    until(lambda: lifetime(on_consul, client) == 63, "Consul is followed again")
    assert ready(on_consul)["policy_source"] == "consul"


def test_without_any_policy_nothing_is_answered_until_there_is_one(consul: ConsulServer, tmp_path: Path) -> None:
    process = process_on(consul, tmp_path / "one")
    copy = Path(process.environment["AUTHCENTER_STATE_DIR"]) / "policy.last.yaml"
    copy.parent.mkdir()
    copy.write_text("tokens: {access_ttl: 86400}\n")
    process.child.start(lambda: alive(process))
    try:
        with api_of(process) as service:
            until(
                lambda: service.api.ops("/readyz").json().get("problems") == ["policy not loaded"], "all else is there"
            )
            assert service.api.ops("/readyz").status_code == 503
            assert ready(service)["policy_source"] == ""
            refused = service.api.get("/.well-known/jwks.json")
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
            (ignored,) = logged(service, "policy_copy_ignored")
            assert "checksum" in ignored["problems"][0]
            file = tmp_path / "policy.yaml"
            file.write_text("{}")
            pushed = process.cli("policy", "push", str(file), "--yes")
            assert pushed.returncode == 0, pushed.stderr
            until(process.answers, "the default policy, said by somebody, is a policy")
            assert ready(service)["policy_source"] == "consul"
            assert service.api.get("/.well-known/jwks.json").status_code == 200
            until(lambda: "sha256" in copy.read_text(), "the copy is replaced")
    finally:
        process.stop()


def test_a_hundred_changes_under_load_fail_no_request(on_consul: Service, consul: ConsulServer) -> None:
    client = on_consul.operator.client("batch", "client_credentials")
    over = False
    answers: list[tuple[int, int]] = []

    def load() -> None:
        with Api(on_consul.api.url, on_consul.api.ops_url, on_consul.api.issuer) as api:
            while not over:
                answer = api.ask(client)
                answers.append((answer.status_code, answer.json().get("expires_in", 0)))
                time.sleep(0.02)

    def seen() -> set[int]:
        return {seconds for _, seconds in answers}

    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load) for _ in range(2)]
        try:
            for number in range(100):
                write(consul, f"tokens: {{access_ttl: {100 + number}}}")
                if number % 5 == 4:
                    until(lambda number=number: 100 + number in seen(), "it takes effect while there is load")
            until(lambda: lifetime(on_consul, client) == 199, "the last change")
        finally:
            over = True
        for each in loads:
            each.result()
    assert {status for status, _ in answers} == {200}
    assert seen() <= {61, *range(100, 200)}
    assert reloads(on_consul, "rejected") == 0
