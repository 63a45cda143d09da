"""The operators' listener: liveness, readiness, metrics."""

import re
import secrets
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.integration.service.api import until
from tests.integration.service.running import Service, alive
from tests.servers.authcenter import AuthcenterProcess

# CONTRACT "Metrics".
_METRICS = {
    "token_request", "token_request_seconds", "introspection_seconds", "introspection", "refresh_replay_detected",
    "access_token_validation_failure", "revocation", "revocation_list_entries", "revocation_replica_lag_seconds",
    "revocation_degraded", "dependency_up", "config_reload", "config_version", "signing_key_age_seconds",
    "cache_requests", "login", "rate_limited", "audit_events", "http_request_seconds", "eviction_backlog_rows",
    "job", "job_queue_depth", "sessions_active", "audit_queue_depth", "id_token_validation_failure",
    "dpop_proof_failure", "jwks_cache_requests", "jwks_cache_hit_ratio",
}  # fmt: skip
# Beyond the contract.
_FURTHER = {
    "status_claim", "status_list_build", "signing_key_rotation_seconds", "audit_chain_broken", "background_failure",
}  # fmt: skip
_REASONS = {
    "sig", "kid", "exp", "iat_skew", "nbf", "iss", "aud", "typ", "alg", "revoked", "binding", "malformed",
}  # fmt: skip


def test_alive_and_ready(service: Service) -> None:
    assert service.api.ops("/livez").json() == {"status": "ok"}
    ready = service.api.ops("/readyz")
    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["dependencies"]) == ("ok", {"database": "up"})


def test_metrics_parse_and_are_named_as_the_contract_says(service: Service) -> None:
    client = service.operator.client(f"metrics-{secrets.token_hex(4)}", "client_credentials")
    token = service.api.issue(client)["access_token"]
    service.api.introspect(client, token)
    service.api.introspect(client, token[:-8])
    service.api.revoke(client, token)
    service.api.introspect(client, token)
    answer = service.api.ops("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain")
    families = list(text_string_to_metric_families(answer.text))
    names = {family.name.removeprefix("authcenter_") for family in families}
    assert names == _METRICS | _FURTHER
    samples = [sample for family in families for sample in family.samples]
    reasons = {sample.labels["reason"] for sample in samples if "reason" in sample.labels}
    assert "revoked" in reasons
    assert reasons <= _REASONS


def test_labels_hold_nothing_that_strangers_choose(service: Service) -> None:
    service.api.post("/oauth/token", {"grant_type": "chosen-by-a-stranger", "client_id": "chosen-by-a-stranger"})
    service.api.get("/chosen-by-a-stranger?chosen-by-a-stranger=1")
    service.api.session.request("STRANGER", f"{service.api.url}/oauth/token", timeout=30)
    text = service.api.ops("/metrics").text
    assert not re.search("stranger", text, re.IGNORECASE)


def test_the_operators_listener_has_nothing_else(service: Service) -> None:
    assert service.api.ops("/oauth/token").status_code == 404
    assert service.api.get("/readyz").status_code == 404


@pytest.fixture
def production(tmp_path: Path) -> AuthcenterProcess:
    settings = {"AUTHCENTER_ENV": "production", "AUTHCENTER_ISSUER": "https://auth.example"}
    return AuthcenterProcess(tmp_path / "production", settings=settings)


def test_pending_migrations_keep_a_production_process_from_being_ready(production: AuthcenterProcess) -> None:
    production.child.start(lambda: alive(production))
    try:
        ready = requests.get(f"{production.ops_url}/readyz", timeout=30)
        assert ready.status_code == 503
        assert "schema not loaded" in ready.json()["problems"]
        assert alive(production)
        assert production.cli("db", "upgrade").returncode == 0
        until(production.answers, "it sees by itself that the schema is there")
    finally:
        assert production.stop() == 0
