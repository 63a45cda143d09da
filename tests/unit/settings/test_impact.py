"""What an operator is told before a policy is put in force."""

from datetime import timedelta

import pytest

from authcenter.core.client import Lifetimes
from authcenter.settings.impact import impact
from authcenter.settings.policy import parse_policy
from tests.workbench import Workbench

IMPACTS = [
    pytest.param("tokens: {refresh_ttl: 60}", "refresh tokens issued so far live on", id="refresh_ttl"),
    pytest.param("tokens: {refresh_ttl: 5, refresh_max_lifetime: 60}", "families opened so far", id="families"),
    pytest.param("tokens: {leeway: 5}", "tokens that expired 5 to 30 s ago are refused", id="leeway"),
    pytest.param("tokens: {signing_alg: RS256}", "no key signs RS256: no access token could be issued", id="no key"),
    pytest.param("tokens: {signing_alg: EdDSA}", "that accept ES256 only would refuse", id="another algorithm"),
    pytest.param("revocation: {on_outage: closed}", "every validation is refused (503) after 10 s", id="closed"),
    pytest.param("revocation: {short_hash_bytes: 4}", "one good token in 4,295 would be refused", id="short hash"),
    pytest.param("revocation: {short_hash_bytes: 16}", "builds its replica of revocations anew", id="long hash"),
    pytest.param("cache: {stale_if_error: 60}", "known clients get tokens for 60 s only, not 600 s", id="stale"),
]


@pytest.mark.parametrize(("document", "said"), IMPACTS)
async def test_a_consequence_is_told(bench: Workbench, document: str, said: str) -> None:
    before, after = parse_policy("{}", source="consul"), parse_policy(document, source="consul")
    clients = await bench.stores.clients.list_clients()
    assert any(said in sentence for sentence in impact(before, after, clients, {"ES256", "EdDSA"}))
    assert impact(before, before, clients, {"ES256"}) == ()


async def test_only_the_clients_concerned_are_named_and_not_all_of_many(bench: Workbench) -> None:
    for number in range(12):
        await bench.client(f"short-{number:02}", lifetimes=Lifetimes(access=timedelta(seconds=300)))
    await bench.client("shorter", lifetimes=Lifetimes(access=timedelta(seconds=30)))
    await bench.client("longer", lifetimes=Lifetimes(access=timedelta(seconds=3000)))
    before, after = parse_policy("{}", source="consul"), parse_policy("tokens: {access_ttl: 60}", source="consul")
    (told,) = (
        each for each in impact(before, after, await bench.stores.clients.list_clients(), {"ES256"}) if "lose" in each
    )
    assert told.endswith("short-08, short-09 and 2 more")
    assert "shorter" not in told
