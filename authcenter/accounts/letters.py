"""Letters as jobs of the outbox: left in the transaction of what causes them, sealed, for links are secrets.

A leaked outbox neither opens an account nor tells whose addresses are in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from authcenter.core import base64url
from authcenter.core.derived import SealingKeys
from authcenter.core.ids import uuid7
from authcenter.core.job import Job, JobName
from authcenter.core.mail import Letter

_LABEL = "mail"


@dataclass(frozen=True, slots=True)
class Letters:
    """Makes jobs of letters, and letters of jobs."""

    keys: SealingKeys

    def job(self, letter: Letter) -> Job:
        """What to leave in the outbox (``Consequences.jobs``) so that ``letter`` is sent."""
        job_id = uuid7()
        sealed = self.keys.seal(msgspec.json.encode(letter), _bound_to(job_id))
        # Sealed under the job's own id, so that no letter can be put into another's envelope.
        return Job(JobName.MAIL, {"id": job_id, "letter": base64url.encode(sealed)}, job_id)

    def open(self, payload: Mapping[str, str]) -> Letter | None:
        """The letter of a job; None: not sealed by us, or its key is gone."""
        sealed = self.keys.open(base64url.decode(payload["letter"]), _bound_to(payload["id"]))
        return None if sealed is None else msgspec.json.decode(sealed, type=Letter)


def _bound_to(job_id: str) -> bytes:
    return f"{_LABEL} {job_id}".encode()
