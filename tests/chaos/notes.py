"""What a caller was told, one line an answer: written by the generator, read by the test that judges it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

ISSUE = "client_credentials"
PASSWORD_GRANT = "password"
REFRESH = "refresh"
REVOKE = "revoke"
INTROSPECT = "introspect"
INTROSPECT_REVOKED = "introspect revoked"
INTROSPECT_REFRESH = "introspect refresh token"
JWKS = "jwks"

STEADY = (ISSUE, REFRESH, REVOKE, INTROSPECT, INTROSPECT_REVOKED, INTROSPECT_REFRESH)
"""The kinds of which there is enough for every instance; the others come once a second."""

OCCASIONAL = (PASSWORD_GRANT, JWKS)


@dataclass(frozen=True, slots=True)
class Note:
    """One answer.

    Attributes:
        instance: Number of the instance that was asked.
        sent: When, on the clock that all processes of this machine share (``time.monotonic``).
        seconds: From then to the last byte of the answer.
        starved: Part of ``seconds`` in which the generator or the instance could run, and got no processor.
        status: 0 where there was no answer.
        wrong: What is wrong with it whatever is going on; empty: nothing.
        token: What an acknowledged revocation revoked; what an issued access token is.
    """

    kind: str
    instance: int
    sent: float
    seconds: float
    starved: float
    status: int
    retry_after: str = ""
    wrong: str = ""
    token: str = ""

    @property
    def ended(self) -> float:
        return self.sent + self.seconds

    @property
    def late_by(self) -> float:
        """Seconds that the answer took, without those in which the machine gave nobody a processor for it."""
        return self.seconds - self.starved

    def to_line(self) -> str:
        return json.dumps(asdict(self)) + "\n"

    @classmethod
    def from_line(cls, line: str) -> Self:
        return cls(**json.loads(line))


@dataclass(frozen=True, slots=True)
class Chain:
    """A family as its holder knows it: its newest tokens, and how often they were traded."""

    rotations: int
    tokens: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """All that the callers were told, when the load is over.

    Attributes:
        living: Access tokens that nobody revoked.
        resting: A refresh token that nobody used.
    """

    notes: Sequence[Note]
    chains: Sequence[Chain] = ()
    living: Sequence[str] = ()
    resting: str = ""
    revoked: Sequence[str] = field(default=())

    def of(self, *kinds: str, since: float = 0.0, until: float = float("inf")) -> Iterator[Note]:
        """Notes of these kinds that were sent and answered within a time; no kinds: of all."""
        for note in self.notes:
            if (not kinds or note.kind in kinds) and since <= note.sent and note.ended <= until:
                yield note


def read_notes(file: Path) -> list[Note]:
    """Those that are written so far."""
    written = file.read_text() if file.exists() else ""
    return [Note.from_line(line) for line in written[: written.rfind("\n") + 1].splitlines()]
