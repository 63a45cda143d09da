"""What is measured, and who can do it: the names that the contenders and the table share."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from tests.bench.load import Request
from tests.servers.server import Server


class Work(StrEnum):
    """One kind of request."""

    CC_ES256 = "client_credentials ES256"
    CC_RS256 = "client_credentials RS256"
    CC_EDDSA = "client_credentials EdDSA"
    REFRESH = "refresh"
    INTROSPECTION = "introspection"
    JWKS = "jwks"
    VALIDATE = "validate, seen before"

    @property
    def algorithm(self) -> str:
        """The algorithm that signs what is issued meanwhile; ES256 where it makes no difference."""
        return self.value.rpartition(" ")[2] if self.value.startswith("client_credentials") else "ES256"


class Contender(Server, Protocol):
    """A server that is alone on its core while it is measured."""

    name: ClassVar[str]

    def prepare(self, work: Work) -> Request | None:
        """What to send for this work, after one such request was answered rightly; None where it is not its work.

        Raises:
            RuntimeError: It answers wrongly, so there is nothing to measure.
        """
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One contender at one work in one round."""

    per_second: float
    p50_ms: float
    p99_ms: float
    requests: int
    failures: int
    resident_bytes: int
    cpu_share: float
