"""The loops of one process, by the names under which operators hear of them."""

from collections.abc import Mapping

from authcenter.wiring.jobs import Job
from authcenter.wiring.service import Service
from authcenter.workers.follow_keys import KeysFollower, NothingToFollow
from authcenter.workers.follow_policy import PolicyFollower
from authcenter.workers.unending import Loop


def background_loops(
    service: Service, policies: PolicyFollower, keys: KeysFollower | NothingToFollow, jobs: Mapping[str, Job]
) -> dict[str, Loop]:
    """All that runs beside requests; none waits for another."""
    return {
        "follow_record": service.follower.run,
        "follow_policy": policies.run,
        "follow_keys": keys.run,
        "settle_limits": service.settle_limits,
        "change_hints": service.hints.run,
        "audit": service.audit.run,
        "traces": service.traces.run,
        **dict(zip(("follow_stream", "repair_stream"), (worker.run for worker in service.spreading), strict=False)),
        **{name: job.run for name, job in jobs.items()},
    }
