"""Look-ups of others' keys, in the metrics."""

from collections.abc import Mapping

import pytest

from authcenter.core.errors import Reason
from authcenter.sdk.observer import FetchOutcome
from authcenter.stores.ports.remote import FetchFailed, Fetching
from authcenter.telemetry.metrics import Metrics
from authcenter.wiring.keys_of_others import CountedKeys, keys_of_others
from tests.workbench import SetClock

URI = "https://client.example/jwks"


class Shelf(Fetching):
    """Has one document, or nothing."""

    body: bytes | None = b'{"keys": []}'

    async def get(self, url: str) -> bytes:
        if self.body is None:
            raise FetchFailed("nothing there")
        return self.body


def outcomes(metrics: Metrics) -> Mapping[str, float]:
    (family,) = metrics.jwks_requests.collect()
    return {sample.labels["outcome"]: sample.value for sample in family.samples if sample.value}


async def test_look_ups_and_fetches_are_counted() -> None:
    metrics, shelf, clock = Metrics(), Shelf(), SetClock()
    keys = keys_of_others(shelf, clock, metrics)
    await keys.keys_at(URI, "unknown")
    assert outcomes(metrics) == {"miss": 1, "fetched": 1}
    shelf.body = None
    clock.advance(11)
    await keys.keys_at(URI, "unknown")
    assert outcomes(metrics) == {"miss": 2, "fetched": 1, "failed": 1}


@pytest.mark.parametrize(("found", "ratio"), [([], 1), ([True, True, True, False], 0.75), ([False], 0)])
def test_the_share_of_hits(found: list[bool], ratio: float) -> None:
    metrics = Metrics()
    observer = CountedKeys(metrics)
    for one in found:
        observer.key_looked_up(found=one)
    observer.keys_fetched(FetchOutcome.FAILED, 0.1)
    assert metrics.registry.get_sample_value("authcenter_jwks_cache_hit_ratio") == ratio


def test_a_refused_token_is_counted_by_its_reason() -> None:
    metrics = Metrics()
    CountedKeys(metrics).access_token_refused(Reason.KID)
    assert metrics.token_failures.value("kid") == 1
