"""Keys that stand as a test puts them."""

from typing import Any

from authcenter.jose.access_token import VerifyingKey
from authcenter.sdk.key_cache import KeySource
from authcenter.sdk.verification import KeysUnavailable


class SetKeys(KeySource):
    """Attributes:
    published: What ``learn`` finds; ``known``: what ``find`` finds.
    """

    def __init__(self, *published: Any) -> None:
        self.published = self.known = {key.kid: key for key in published}
        self._version = self.learnt = 0
        self.reachable = True

    @property
    def version(self) -> int:
        return self._version

    def find(self, kid: str) -> VerifyingKey | None:
        if not self.known:
            raise KeysUnavailable("not known yet")
        return self.known.get(kid)

    async def learn(self) -> bool:
        self.learnt += 1
        if self.reachable and self.known is not self.published:
            self.known = self.published
            self._version += 1
            return True
        if not self.known:
            raise KeysUnavailable("gone")
        return False
