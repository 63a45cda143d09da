"""Every panel of the dashboards, asked of a Prometheus that looks at a service which does something."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.service.api import Credentials, until
from tests.integration.service.record import PASSWORD
from tests.integration.service.running import Service, serving
from tests.servers.authcenter import AuthcenterProcess
from tests.servers.collector import Collector
from tests.servers.deployed import DEPLOY, adapted
from tests.servers.prometheus import PrometheusServer

pytestmark = pytest.mark.long

# Of what this load does not do: it has no status lists, and dead rows are first looked for within minutes.
MAY_BE_EMPTY = {
    ("dependencies", "Status lists", "A"),
    ("dependencies", "Status lists", "B"),
    ("dependencies", "Dead rows", "A"),
}
_GRANTS = ("client_credentials", "password", "refresh_token")
_POLICY = "rate_limits: {client_auth_failures_per_ip: 1/hour}\n"


@dataclass(frozen=True, slots=True)
class Watched:
    """A service that has done something, and who looks at it."""

    service: Service
    prometheus: PrometheusServer


def work(service: Service, client: Credentials) -> None:
    """Something of everything, and at last what ends in a rate limit."""
    api = service.api
    api.get("/.well-known/jwks.json")
    api.get("/login")
    for _ in range(3):
        tokens = api.issue(client, "password", username="watched", password=PASSWORD)
        api.introspect(client, tokens["access_token"])
        api.introspect(client, tokens["access_token"][:-8])
        api.revoke(client, api.issue(client)["access_token"])
    api.issue(client, "refresh_token", refresh_token=tokens["refresh_token"])
    assert api.ask(client, "refresh_token", refresh_token=tokens["refresh_token"]).status_code == 400
    assert api.ask(client, "password", username="watched", password="a password that is wrong").status_code == 400
    forgot = {"email": "watched@example.com"}
    assert api.session.post(f"{api.url}/api/v1/auth/password/forgot", json=forgot, timeout=60).status_code == 202
    refused = [api.ask(Credentials(client.client_id, "a-secret-that-is-wrong")).status_code for _ in range(4)]
    assert refused[-1] == 429


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    directory = tmp_path_factory.mktemp("watched")
    rules = []
    for name, intervals in (("recording", ("30s", "2m")), ("alerts", ())):
        path = directory / f"{name}.yaml"
        # As delivered, but worked out at once.
        path.write_text(adapted(f"prometheus/{name}.yaml", {f"interval: {each}": "interval: 2s" for each in intervals}))
        rules.append(path)
    with Collector() as collector:
        traced = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        process = AuthcenterProcess(directory / "authcenter", settings=traced)
        process.policy_file.write_text(_POLICY)
        for service in serving(process):
            client = service.operator.client("watched", *_GRANTS, first_party=True)
            service.operator.user("watched")
            with PrometheusServer(directory / "prometheus", [f"127.0.0.1:{process.ops_port}"], rules) as prometheus:
                # An increase is seen from what was there before.
                until(partial(prometheus.query, "authcenter_refresh_replay_detected_total"), "a first look")
                work(service, client)
                yield Watched(service, prometheus)


def targets() -> Iterator[Any]:
    for path in sorted((DEPLOY / "grafana").glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            for target in panel["targets"]:
                place = (path.stem, panel["title"], target["refId"])
                yield pytest.param(place, target["expr"], id=": ".join(place))


@pytest.mark.parametrize(("place", "expression"), list(targets()))
def test_a_panel_shows_something(watched: Watched, place: tuple[str, str, str], expression: str) -> None:
    # As Grafana does, for a job and a step.
    asked = expression.replace("$job", "authcenter").replace("$__rate_interval", "5m")
    if place in MAY_BE_EMPTY:
        watched.prometheus.query(asked)
    else:
        until(lambda: watched.prometheus.query(asked), f"data for {asked}")


def test_what_went_wrong_sets_off_its_alert(watched: Watched) -> None:
    firing = 'ALERTS{alertname="AuthcenterRefreshReplay",alertstate="firing"}'
    until(lambda: watched.prometheus.query(firing), "the alert")


def test_a_slow_request_leads_to_its_trace(watched: Watched) -> None:
    name = "authcenter_token_request_seconds_bucket"

    def known() -> bool:
        found = watched.prometheus.ask("query_exemplars", query=name, start="0", end="9999999999")
        ids = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
        # The log is written a moment after the answer.
        lines = [json.loads(line) for line in watched.service.process.log.read_text().splitlines()]
        return bool(ids) and ids <= {line.get("trace_id") for line in lines}

    until(known, "exemplars, each with a request of the log")


def test_nothing_here_is_unlisted() -> None:
    places = {tuple(param.values[0]) for param in targets()}
    assert places >= MAY_BE_EMPTY
    assert {path.stem for path in Path(DEPLOY / "grafana").glob("*.json")} == {place[0] for place in places}
