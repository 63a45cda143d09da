"""Authorization codes, pushed requests and pairwise subjects in SQL."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.authorization import AuthorizationCode, PushedRequest
from authcenter.core.cut import Consequences
from authcenter.core.digest import Digest
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.token import RefreshToken, TokenFamily
from authcenter.stores.ports.codes import AuthorizationCodeStore, PairwiseSubjects, PushedRequestStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.sessions import add_client, may_go_on
from authcenter.stores.sql.sign_in_tables import authorization_codes, pairwise_subjects, pushed_requests
from authcenter.stores.sql.tokens import add_family
from authcenter.stores.sql.transactions import Transactions
from authcenter.stores.sql.upsert import upsert


class SqlAuthorizationCodeStore(AuthorizationCodeStore):
    """Codes in the table ``authorization_codes``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, code: AuthorizationCode, consequences: Consequences, *, pushed: Digest | None = None) -> bool:
        row = _row(code)
        request = pushed_requests.c
        unspent = update(pushed_requests).where(request.digest == pushed, request.spent_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            if pushed is not None:
                spent = await connection.execute(unspent.values(spent_at=code.issued_at))
                if spent.rowcount == 0:
                    return False
            # As parameters, not as values: no expression is made of each.
            await connection.execute(insert(authorization_codes), row)
            if sid := code.sign_in.get("sid"):
                await add_client(connection, sid, code.client_id, code.issued_at)
            return True

        return await self._transactions.commit(write, consequences)

    async def find(self, digest: Digest) -> AuthorizationCode | None:
        one = select(authorization_codes).where(authorization_codes.c.digest == digest)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
            return _code(row) if row else None

    async def redeem(self, digest: Digest, at: datetime, family: TokenFamily, first: RefreshToken | None) -> bool:
        code = authorization_codes.c
        unspent = update(authorization_codes).where(code.digest == digest, code.spent_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            if (await connection.execute(unspent.values(spent_at=at))).rowcount == 0:
                return False
            if not await may_go_on(connection, family.sign_in.get("sid", "")):
                return False
            return await add_family(connection, family, first)

        return await self._transactions.commit(write)


class SqlPushedRequestStore(PushedRequestStore):
    """Pushed requests in the table ``pushed_requests``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def add(self, pushed: PushedRequest) -> None:
        row = asdict(pushed) | {"resources": list(pushed.resources)}

        async def write(connection: AsyncConnection) -> bool:
            await connection.execute(insert(pushed_requests), row)
            return True

        await self._transactions.commit(write)

    async def find(self, digest: Digest) -> PushedRequest | None:
        one = select(pushed_requests).where(pushed_requests.c.digest == digest)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).first()
            return _pushed(row) if row else None


class SqlPairwiseSubjects(PairwiseSubjects):
    """Names in the table ``pairwise_subjects``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def known_as(self, subject: str, sector: str, new: str) -> str:
        row = pairwise_subjects.c
        known = select(row.known_as).where(row.subject == subject, row.sector == sector)
        async with self._database.reading() as connection:
            held = (await connection.execute(known)).scalar_one_or_none()
        if held is not None:
            return str(held)
        name = new

        async def write(connection: AsyncConnection) -> bool:
            nonlocal name
            values = {"subject": subject, "sector": sector, "known_as": new}
            await upsert(connection, pairwise_subjects, values, ("subject", "sector"), {})
            name = (await connection.execute(known)).scalar_one()
            return True

        await self._transactions.commit(write)
        return name


def _row(code: AuthorizationCode) -> dict[str, Any]:
    return {
        "digest": code.digest,
        "client_id": code.client_id,
        "redirect_uri": code.redirect_uri,
        "code_challenge": code.code_challenge,
        "nonce": code.nonce,
        "scope": str(code.scope),
        "audience": list(code.audience),
        "subject": code.subject,
        "sign_in": dict(code.sign_in),
        "claims": dict(code.claims),
        "refreshable": code.refreshable,
        "family_id": code.family_id,
        "issued_at": code.issued_at,
        "expires_at": code.expires_at,
        "known_as": code.known_as,
        "dpop_jkt": code.dpop_jkt,
        "spent_at": code.spent_at,
    }


def _code(row: Row[Any]) -> AuthorizationCode:
    return AuthorizationCode(
        digest=Digest(row.digest),
        client_id=ClientId(row.client_id),
        redirect_uri=row.redirect_uri,
        code_challenge=row.code_challenge,
        nonce=row.nonce,
        scope=Scope.parse(row.scope),
        audience=tuple(row.audience),
        subject=Subject(row.subject),
        sign_in=row.sign_in,
        claims=row.claims,
        refreshable=row.refreshable,
        family_id=FamilyId(row.family_id),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        known_as=row.known_as,
        dpop_jkt=row.dpop_jkt,
        spent_at=row.spent_at,
    )


def _pushed(row: Row[Any]) -> PushedRequest:
    return PushedRequest(
        digest=Digest(row.digest),
        client_id=ClientId(row.client_id),
        parameters=row.parameters,
        resources=tuple(row.resources),
        expires_at=row.expires_at,
        spent_at=row.spent_at,
    )
