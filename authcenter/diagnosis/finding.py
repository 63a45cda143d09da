"""One thing that should be changed in a deployment."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much it matters, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Finding:
    """What to change, and why.

    Attributes:
        check: The name of the check that found it; stays the same between versions, so that pipelines may rely on it.
        about: What it concerns: a setting, a field of the policy, a client.
        problem: What is the matter. Holds no secret.
        remedy: What to do.
        reference: Where that is written: a section of an RFC, or of another document.
    """

    check: str
    severity: Severity
    about: str
    problem: str
    remedy: str
    reference: str
