"""Several workers are one service to whoever calls it and to whoever operates it."""

import os
import signal

import pytest
import requests

from tests.integration.service.api import until
from tests.integration.service.running import Service, policy
from tests.integration.workers.crew import WORKERS, answered, log_lines, pids, readiness, whole, whole_report

pytestmark = pytest.mark.long

_REQUESTS = 80


def ask(service: Service, times: int) -> None:
    """Requests on connections of their own."""
    for _ in range(times):
        assert requests.get(f"{service.process.url}/.well-known/jwks.json", timeout=30).status_code == 200


def test_every_worker_answers_and_the_metrics_add_up(service: Service) -> None:
    before = answered(service)
    numbers: set[int] = set()

    def all_have_answered() -> bool:
        ask(service, _REQUESTS)
        nonlocal before
        before += _REQUESTS
        assert answered(service) == before
        numbers.update(line["worker"] for line in log_lines(service) if line["event"] == "request")
        return len(numbers) == WORKERS

    until(all_have_answered, "each worker has answered something")
    assert len(set(whole(service).values())) == WORKERS


def test_gauges_are_those_of_one_service(service: Service) -> None:
    client = service.operator.client("gauges", "client_credentials")
    service.api.revoke(client, service.api.issue(client)["access_token"])
    until(lambda: service.api.metric("authcenter_revocation_list_entries") == 1, "one entry, though in four replicas")
    assert service.api.metric("authcenter_dependency_up", dependency="database") == 1
    assert service.api.metric("authcenter_config_version") == 1


def test_keys_were_made_once(service: Service) -> None:
    assert len(service.operator.rows("SELECT kid FROM signing_keys WHERE alg = 'ES256'")) == 1


def test_what_each_worker_is_and_takes_is_told(service: Service) -> None:
    for worker in whole_report(service)["workers"]:
        assert worker["status"] == "ok"
        assert 20 * 2**20 < worker["memory_bytes"] < 400 * 2**20
        assert os.getpgid(worker["pid"]) == worker["pid"]
    assert service.api.ops("/livez").json() == {"status": "ok"}


def test_a_policy_takes_effect_in_every_worker(service: Service) -> None:
    whole(service)
    with policy(service, "tokens: {access_ttl: 77}"):
        whole_report(service)
        client = service.operator.client("policy", "client_credentials")
        for _ in range(_REQUESTS // 4):
            answer = requests.post(
                f"{service.process.url}/oauth/token",
                {"grant_type": "client_credentials", "client_id": "policy", "client_secret": client.secret},
                timeout=30,
            )
            assert answer.json()["expires_in"] == 77


def test_who_is_killed_is_replaced_and_stays_counted(service: Service) -> None:
    workers = whole(service)
    ask(service, _REQUESTS)
    before = answered(service)
    os.kill(workers[2], signal.SIGKILL)
    until(lambda: pids(service).get(2, workers[2]) != workers[2], "another worker 2")
    assert answered(service) == before
    until(lambda: service.api.ops("/readyz").status_code == 200, "it is ready")
    replaced = whole(service)
    assert {number for number in workers if workers[number] != replaced[number]} == {2}
    ask(service, _REQUESTS)
    assert answered(service) == before + _REQUESTS


def test_who_is_silent_is_told_of_and_stays_counted(service: Service) -> None:
    workers = whole(service)
    before = answered(service)
    os.kill(workers[3], signal.SIGSTOP)
    try:
        until(lambda: silent(service) == ("degraded", [3]), "it is told who is silent")
        assert answered(service) == before
    finally:
        os.kill(workers[3], signal.SIGCONT)
    assert whole(service) == workers


def silent(service: Service) -> tuple[str, list[int]]:
    told = readiness(service)
    return told["status"], [one["worker"] for one in told["workers"] if one["status"] == "silent"]


def test_each_log_line_is_whole_and_says_whose_it_is(service: Service) -> None:
    lines = log_lines(service)
    of_the_supervisor = {"supervising", "worker_ended"}
    assert all("worker" in line or line["event"] in of_the_supervisor for line in lines)
