"""A running process of the service, and what tests do to it besides asking."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import requests

from tests.integration.service.api import Api, until
from tests.integration.service.record import Operator
from tests.servers.authcenter import AuthcenterProcess

_LEAST_SECRET = 12


@dataclass(frozen=True, slots=True)
class Service:
    """A process of the service, what asks it, and who operates it."""

    process: AuthcenterProcess
    api: Api
    operator: Operator


def serving(process: AuthcenterProcess) -> Iterator[Service]:
    """Start a process, and stop it afterwards; then see that nothing secret is left in its log or in the record, and
    that its background work met no defect."""
    with process, Api(process.url, process.ops_url, process.environment["AUTHCENTER_ISSUER"]) as api:
        service = Service(process, api, Operator(process.environment))
        yield service
        process.stop()
        assert_silent(service)
        assert "background_work_failed" not in process.log.read_text()


def assert_silent(service: Service) -> None:
    """No token, secret or password that was sent or received lies in the log or in the audit table."""
    said = service.process.log.read_text() + str(service.operator.rows("SELECT * FROM auth_audit"))
    told = {secret for secret in service.api.secrets if len(secret) >= _LEAST_SECRET and secret in said}
    assert not told, "in the log or the audit table"


def log_line(service: Service, request_id: str) -> dict[str, object]:
    """What the log says of a request."""
    found: list[dict[str, object]] = []

    def written() -> bool:
        lines = service.process.log.read_text().splitlines()
        found[:] = [json.loads(line) for line in lines if request_id in line and '"event":"request"' in line]
        return bool(found)

    until(written, f"a log line of request {request_id}")
    return found[0]


@contextmanager
def policy(service: Service, document: str) -> Iterator[None]:
    """Put a policy document in force while the block runs, and then the one before."""
    before = service.process.policy_file.read_text()
    _put_in_force(service, document)
    try:
        yield
    finally:
        _put_in_force(service, before)


def _put_in_force(service: Service, document: str) -> None:
    accepted = service.api.metric("authcenter_config_reload_total", outcome="accepted")
    service.process.policy_file.write_text(document)
    until(lambda: service.api.metric("authcenter_config_reload_total", outcome="accepted") > accepted, "a new policy")


def alive(process: AuthcenterProcess) -> bool:
    """Whether it answers at all, ready or not."""
    try:
        return requests.get(f"{process.ops_url}/livez", timeout=60).status_code == 200
    except requests.ConnectionError:
        return False
