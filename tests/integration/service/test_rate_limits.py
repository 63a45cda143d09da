"""Rate limits of a running service, by its policy file."""

import time

from tests.integration.service.running import Service, log_line, policy


def test_limits_follow_the_policy_file(service: Service) -> None:
    before = service.api.metric("authcenter_rate_limited_total")
    client = service.operator.client("limited", "client_credentials", "password")
    service.operator.user("limited")
    with policy(service, "rate_limits: {token_per_client: 5/hour, login_failures_per_account: 1/hour}"):
        told = []
        for _ in range(4):
            told.append(service.api.ask(client))
            # What was taken is settled meanwhile, and is there afterwards.
            time.sleep(0.3)
        assert [answer.headers["RateLimit-Remaining"] for answer in told] == ["4", "3", "2", "1"]
        wrong = {"username": "limited", "password": "a wrong password"}
        assert service.api.ask(client, "password", **wrong).status_code == 400
        refused = service.api.ask(client, "password", **wrong)
        assert (refused.status_code, refused.json()["error"]) == (429, "temporarily_unavailable")
        assert 0 < int(refused.headers["Retry-After"]) <= 3600
        line = log_line(service, refused.headers["X-Request-Id"])
        assert line["rule"] == "rate_limited_client"
    with policy(service, "rate_limits: {login_failures_per_account: 1/hour}"):
        refused = service.api.ask(client, "password", **wrong)
        assert refused.status_code == 429
        line = log_line(service, refused.headers["X-Request-Id"])
        assert line["rule"] == "rate_limited_account"
    assert service.api.ask(client).status_code == 200
    assert service.api.metric("authcenter_rate_limited_total") == before + 2
