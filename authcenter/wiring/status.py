"""Token Status Lists, joined: the claim in access tokens, and the lists that it names."""

from dataclasses import dataclass

from authcenter.settings.boot import BootSettings
from authcenter.telemetry.logs import Logger
from authcenter.telemetry.metrics import Metrics
from authcenter.tokens.status_claim import StatusEnhancer
from authcenter.tokens.status_entries import StatusEntryWriter
from authcenter.tokens.status_lists import StatusLists
from authcenter.tokens.status_outcomes import Outcomes
from authcenter.tokens.status_places import StatusPlaces
from authcenter.wiring.core import Core


@dataclass(frozen=True, slots=True)
class Status:
    """Both halves of it. Lists are served whatever the policy says: tokens that name one may still be alive."""

    enhancer: StatusEnhancer
    lists: StatusLists


def build_status(settings: BootSettings, core: Core, metrics: Metrics, log: Logger) -> Status:
    """No I/O."""
    store, keys, policy, clock = core.stores.status_lists, core.keys, core.policy, core.clock

    def algorithm() -> str:
        return policy.current.tokens.signing_alg

    enhancer = StatusEnhancer(
        issuer=settings.issuer,
        enabled=lambda: policy.current.tokens.status_list,
        kid=lambda: keys.ring.signer(algorithm()).kid,
        places=StatusPlaces(store, clock),
        entries=StatusEntryWriter(store),
        outcomes=Outcomes(
            metrics.status_claims,
            log,
            right="given",
            wrong="omitted",
            lost="status_claim_omitted",
            back="status_claim_given_again",
            remedy="verifiers of status lists do not see these tokens revoked",
        ),
    )
    builds = Outcomes(
        metrics.status_list_builds,
        log,
        right="built",
        wrong="failed",
        lost="status_list_stale",
        back="status_list_built_again",
        remedy="revocations do not reach verifiers of status lists; each list is refused (503) from its exp on",
    )
    lists = StatusLists(
        settings.issuer, store, keys, algorithm, lambda: core.revocations.replica.version, clock, builds
    )
    return Status(enhancer, lists)
