"""Authorization codes, pushed requests and pairwise subjects in memory."""

from dataclasses import replace
from datetime import datetime

from authcenter.core.authorization import AuthorizationCode, PushedRequest
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.stores.memory.record import MemoryRecord
from authcenter.stores.memory.tables import Tables
from authcenter.stores.memory.tokens import add_family
from authcenter.stores.ports.codes import AuthorizationCodeStore, PairwiseSubjects, PushedRequestStore


class MemoryAuthorizationCodeStore(AuthorizationCodeStore):
    """Codes of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, code: AuthorizationCode, consequences: Consequences, *, pushed: Digest | None = None) -> bool:
        def write(tables: Tables, at: datetime) -> bool:
            if pushed is not None:
                request = tables.pushed.get(pushed)
                if request is None or request.spent_at:
                    return False
                tables.pushed[pushed] = replace(request, spent_at=code.issued_at)
            tables.codes[code.digest] = code
            if sid := code.sign_in.get("sid"):
                tables.session_clients.setdefault((sid, code.client_id), code.issued_at)
            return True

        return self._record.commit(write, consequences)

    async def find(self, digest: Digest) -> AuthorizationCode | None:
        return self._record.tables.codes.get(digest)

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        def write(tables: Tables, _: datetime) -> bool:
            code = tables.codes.get(digest)
            if code is None or code.spent_at or tables.has_ended(family.sign_in.get("sid", "")):
                return False
            tables.codes[digest] = replace(code, spent_at=at)
            return add_family(tables, family, first)

        return self._record.commit(write)


class MemoryPushedRequestStore(PushedRequestStore):
    """Pushed requests of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def add(self, pushed: PushedRequest) -> None:
        def write(tables: Tables, at: datetime) -> bool:
            tables.pushed[pushed.digest] = pushed
            return True

        self._record.commit(write)

    async def find(self, digest: Digest) -> PushedRequest | None:
        return self._record.tables.pushed.get(digest)


class MemoryPairwiseSubjects(PairwiseSubjects):
    """Names of the shared record."""

    def __init__(self, record: MemoryRecord) -> None:
        self._record = record

    async def known_as(self, subject: str, sector: str, new: str) -> str:
        self._record.commit(lambda tables, at: bool(tables.pairwise.setdefault((subject, sector), new)))
        return self._record.tables.pairwise[subject, sector]
