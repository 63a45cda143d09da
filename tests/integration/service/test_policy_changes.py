"""The policy file is changed while the service runs: it takes effect, or it is refused and the last good one stays."""

import time

import jwt
import pytest

from authcenter.wiring.core import Core
from tests.integration.service.api import Credentials, until
from tests.integration.service.running import Service, policy


@pytest.fixture(scope="module")
def client(service: Service) -> Credentials:
    return service.operator.client("policy", "client_credentials")


def minted(service: Service, token: str, *, seconds_ago: int) -> str:
    """The same token as if it had expired some seconds ago, signed with the service's own key."""
    claims = jwt.decode(token, options={"verify_signature": False})
    claims["exp"] = int(time.time()) - seconds_ago

    async def sign(core: Core) -> str:
        await core.keys.reload()
        return core.keys.ring.signer("ES256").jwt(claims, "at+jwt")

    return str(service.operator.act(sign))


def test_a_change_takes_effect_without_a_restart(service: Service, client: Credentials) -> None:
    before = service.api.issue(client)
    assert before["expires_in"] == 900
    lapsed = minted(service, before["access_token"], seconds_ago=20)
    assert service.api.active(client, lapsed), "within the leeway of 30 s"
    pid = service.process.child.pid
    with policy(service, "tokens: {access_ttl: 60, signing_alg: EdDSA, leeway: 0}\njwks: {max_age: 60}"):
        after = service.api.issue(client)
        assert after["expires_in"] == 60
        claims = service.api.decoded(after["access_token"], service.api.issuer, "EdDSA")
        assert claims["exp"] - claims["iat"] == 60
        assert service.api.active(client, after["access_token"])
        assert service.api.active(client, before["access_token"])
        assert not service.api.active(client, lapsed)
    assert service.api.issue(client)["expires_in"] == 900
    assert service.process.child.pid == pid


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_every_algorithm_signs_what_libraries_accept(service: Service, client: Credentials, algorithm: str) -> None:
    with policy(service, f"tokens: {{signing_alg: {algorithm}}}"):
        token = service.api.issue(client)["access_token"]
    assert service.api.decoded(token, service.api.issuer, algorithm)["client_id"] == "policy"
    assert service.api.active(client, token)


def test_a_broken_document_is_refused_as_a_whole(service: Service, client: Credentials) -> None:
    def count(outcome: str) -> float:
        return service.api.metric("authcenter_config_reload_total", source="file", outcome=outcome)

    before, rejected, unchanged = service.process.policy_file.read_text(), count("rejected"), count("unchanged")
    version = service.api.ops("/readyz").json()["policy_version"]
    service.process.policy_file.write_text("tokens: {access_ttl: 60, leeway: -1}\nno_such_section: 1\n")
    try:
        until(lambda: count("rejected") > rejected, "it is noticed")
        assert service.api.issue(client)["expires_in"] == 900
        ready = service.api.ops("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["policy_version"]) == (200, "ok", version)
        log = service.process.log.read_text()
        assert "tokens.leeway" in log
        assert "no_such_section" in log
    finally:
        service.process.policy_file.write_text(before)
    until(lambda: count("unchanged") > unchanged, "the good document is read again")


def test_what_is_logged_follows_the_policy(service: Service) -> None:
    def accepted() -> int:
        return service.process.log.read_text().count('"event":"policy_accepted"')

    before = accepted()
    with policy(service, "logging: {level: ERROR}"):
        assert accepted() == before, "INFO is under ERROR"
    until(lambda: accepted() == before + 1, "INFO is logged again")
