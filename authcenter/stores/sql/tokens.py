"""Refresh tokens and their families in SQL."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from authcenter.core.cut import Consequences
from authcenter.core.ids import ClientId, FamilyId, Subject
from authcenter.core.scope import Scope
from authcenter.core.token import HeldRefreshToken, RefreshToken, TokenFamily
from authcenter.stores.ports.tokens import RefreshTokenStore
from authcenter.stores.sql.database import Database
from authcenter.stores.sql.tables import families, refresh_tokens
from authcenter.stores.sql.transactions import Transactions

_FAMILY_COLUMNS = [column.label(f"f_{column.name}") for column in families.c]


class SqlRefreshTokenStore(RefreshTokenStore):
    """Tokens in ``refresh_tokens``, families in ``token_families``."""

    def __init__(self, database: Database, transactions: Transactions) -> None:
        self._database, self._transactions = database, transactions

    async def find(self, selector: str) -> HeldRefreshToken | None:
        joined = select(refresh_tokens, *_FAMILY_COLUMNS).join(families)
        async with self._database.reading() as connection:
            row = (await connection.execute(joined.where(refresh_tokens.c.selector == selector))).first()
            return HeldRefreshToken(_token(row), _family(row)) if row else None

    async def find_family(self, family_id: str) -> TokenFamily | None:
        async with self._database.reading() as connection:
            found = select(*_FAMILY_COLUMNS).where(families.c.family_id == family_id)
            row = (await connection.execute(found)).first()
            return _family(row) if row else None

    async def open_family(self, family: TokenFamily, first: RefreshToken) -> None:
        async def write(connection: AsyncConnection) -> bool:
            return await add_family(connection, family, first)

        await self._transactions.commit(write)

    async def rotate(self, held: RefreshToken, successor: RefreshToken, sealed_answer: bytes | None) -> bool:
        family, token = families.c, refresh_tokens.c
        at = successor.issued_at
        alive = update(families).where(family.family_id == held.family_id, family.ended_at.is_(None))
        unspent = update(refresh_tokens).where(token.selector == held.selector, token.spent_at.is_(None))
        spent = {"spent_at": at, "sealed_answer": sealed_answer}

        async def write(connection: AsyncConnection) -> bool:
            # The family row first: ending a family waits for it and cannot miss a token born meanwhile.
            for claim in (alive.values(rotated_at=at), unspent.values(spent)):
                if (await connection.execute(claim)).rowcount == 0:
                    return False
            await connection.execute(insert(refresh_tokens).values(asdict(successor)))
            return True

        return await self._transactions.commit(write)

    async def end_family(self, family_id: str, at: datetime, consequences: Consequences) -> bool:
        family = families.c
        reason = consequences.cuts[0].reason
        alive = update(families).where(family.family_id == family_id, family.ended_at.is_(None))

        async def write(connection: AsyncConnection) -> bool:
            return (await connection.execute(alive.values(ended_at=at, end_reason=reason))).rowcount == 1

        return await self._transactions.commit(write, consequences)


async def add_family(connection: AsyncConnection, family: TokenFamily, first: RefreshToken | None) -> bool:
    """Write a family, and its first token where it has one, in this transaction."""
    # As parameters, not as values: no expression is made of each.
    await connection.execute(insert(families), _family_row(family))
    if first is not None:
        await connection.execute(insert(refresh_tokens), asdict(first))
    return True


def _family_row(family: TokenFamily) -> dict[str, Any]:
    return {
        "family_id": family.family_id,
        "client_id": family.client_id,
        "subject": family.subject,
        "session_id": family.sign_in.get("sid", ""),
        "scope": str(family.scope),
        "audience": list(family.audience),
        "sign_in": dict(family.sign_in),
        "approved_at": family.approved_at,
        "expires_at": family.expires_at,
        "ended_at": family.ended_at,
        "end_reason": family.end_reason,
        "known_as": family.known_as,
        "claims": dict(family.claims),
    }


def _token(row: Row[Any]) -> RefreshToken:
    return RefreshToken(
        selector=row.selector,
        family_id=FamilyId(row.family_id),
        verifier_mac=row.verifier_mac,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        spent_at=row.spent_at,
        sealed_answer=row.sealed_answer,
    )


def _family(row: Row[Any]) -> TokenFamily:
    return TokenFamily(
        family_id=FamilyId(row.f_family_id),
        client_id=ClientId(row.f_client_id),
        subject=Subject(row.f_subject),
        scope=Scope.parse(row.f_scope),
        audience=tuple(row.f_audience),
        sign_in=row.f_sign_in,
        approved_at=row.f_approved_at,
        expires_at=row.f_expires_at,
        ended_at=row.f_ended_at,
        end_reason=row.f_end_reason,
        known_as=row.f_known_as,
        claims=row.f_claims,
    )
