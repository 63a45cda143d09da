"""The keys of a workbench's ring, as a resource server would have them."""

from dataclasses import dataclass, field

from authcenter.jose.access_token import VerifyingKey
from authcenter.sdk.signed_document import IssuerKeys
from authcenter.sdk.verification import KeysUnavailable
from tests.workbench import Workbench


@dataclass
class RingKeys(IssuerKeys):
    """Knows none before it has been told to learn."""

    bench: Workbench
    reachable: bool = True
    known: dict[str, VerifyingKey] = field(default_factory=dict)
    asked: int = 0

    def find(self, kid: str) -> VerifyingKey | None:
        if not self.known:
            raise KeysUnavailable("none yet")
        return self.known.get(kid)

    async def learn(self) -> bool:
        self.asked += 1
        if not self.reachable:
            raise KeysUnavailable("gone")
        self.known = dict(self.bench.core.keys.ring.verifying)
        return True
