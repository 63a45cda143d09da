"""Jobs: what is promised in a transaction and done after it, by a background runner, as often as it takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from authcenter.core.ids import uuid7


class JobName(StrEnum):
    """What there is to do; the ``job`` label of the metrics."""

    BACK_CHANNEL_LOGOUT = "backchannel_logout"
    MAIL = "mail"
    SIGN_UP_ASKED = "sign_up_asked"
    RESET_ASKED = "reset_asked"
    ERASE_AUDIT = "erase_audit"


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to do. It may come to be done more than once: whoever does it must not mind.

    Attributes:
        payload: JSON values, at rest in SQL: ids, never a secret.
        job_id: Written twice under one id, it is one job.
        delay: From when it is left until somebody may take it.
    """

    name: str
    payload: Mapping[str, Any]
    job_id: str = field(default_factory=uuid7)
    delay: timedelta = field(default=timedelta(0), compare=False)

    @property
    def client_id(self) -> str:
        """The client that it is for; empty: for none."""
        return str(self.payload.get("client_id") or "")

    @property
    def lane(self) -> str:
        """What is for one client is in one lane, and so is what is for none."""
        return f"{self.name} {self.client_id}"


@dataclass(frozen=True, slots=True)
class Room:
    """How many jobs a claim may bring: ``most`` in all, and of one lane ``share`` or what ``lanes`` says of it."""

    most: int
    share: int
    lanes: Mapping[str, int] = field(default_factory=dict)

    def of(self, lane: str) -> int:
        return self.lanes.get(lane, self.share)


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that somebody has taken.

    Attributes:
        claim: By what the outbox knows who has it; worth nothing once the lease has lapsed and another has taken it.
        attempts: How often it has been taken, this time included.
    """

    job: Job
    claim: str
    attempts: int
    created_at: datetime


def logout_jobs(session_id: str, subject: str, client_ids: Iterable[str]) -> list[Job]:
    """Telling clients that a session has ended (OpenID Connect Back-Channel Logout 1.0), a job each."""
    return [
        Job(JobName.BACK_CHANNEL_LOGOUT, {"client_id": client_id, "sid": session_id, "subject": subject})
        for client_id in client_ids
    ]
