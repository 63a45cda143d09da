"""Writing cuts: what replicas read, and the families that lie under them."""

from dataclasses import replace
from datetime import datetime, timedelta

from authcenter.core.cut import LIFTED_CUT_LASTS, Cut, CutKind
from authcenter.core.session import Session
from authcenter.core.token import TokenFamily
from authcenter.stores.memory.tables import Tables

_SECOND = timedelta(seconds=1)


def keep_cut(tables: Tables, cut: Cut, at: datetime) -> None:
    """Keep a cut made at ``at``, and end the families and sessions under it.

    A cut of everything outweighs one up to an instant; of two of those the later stays. So it is with when they lapse.
    """
    up_to = _whole_second(at) if cut.until_now else cut.up_to
    _mark_owner(tables, cut.kind, cut.value, up_to, at)
    kept = Cut(cut.kind, cut.value, cut.reason, up_to=up_to, expires_at=cut.expires_at)
    if held := tables.cuts.get((cut.kind, cut.value)):
        before, _ = held
        kept = replace(
            kept,
            up_to=_later_or_none(before.up_to, kept.up_to),
            expires_at=_later_or_none(before.expires_at, kept.expires_at),
        )
    tables.cuts[cut.kind, cut.value] = (kept, at)
    for family in list(tables.families.values()):
        if family.ended_at is None and _lies_under(family, cut):
            tables.families[family.family_id] = replace(family, ended_at=at, end_reason=cut.reason)
    if cut.kind is CutKind.SUBJECT:
        for family in list(tables.families.values()):
            # Only this record knows who is behind a pairwise `sub`.
            if family.subject == cut.value and family.known_as is not None and family.expires_at > at:
                lapses = cut.expires_at or at + LIFTED_CUT_LASTS
                keep_cut(tables, Cut(CutKind.FAMILY, family.family_id, cut.reason, expires_at=lapses), at)
    for session, _ in list(tables.sessions.values()):
        if session.ended_at is None and _ends_session(session, cut):
            tables.end_session(session.session_id, at, at)


def lift_cut(tables: Tables, kind: CutKind, value: str, at: datetime) -> None:
    """Turn a cut of everything into one of what was issued until now."""
    held = tables.cuts.get((kind, value))
    if held and held[0].up_to is None:
        up_to = _whole_second(at)
        tables.cuts[kind, value] = (replace(held[0], up_to=up_to, expires_at=up_to + LIFTED_CUT_LASTS), at)
        _mark_owner(tables, kind, value, up_to, at)


def later_cut(held: datetime | None, new: datetime | None) -> datetime | None:
    """The later of two marks of an owner, where None is no mark."""
    return max(held, new) if held and new else held or new


def _later_or_none(held: datetime | None, new: datetime | None) -> datetime | None:
    return max(held, new) if held and new else None


def _whole_second(at: datetime) -> datetime:
    return at if at.microsecond == 0 else at.replace(microsecond=0) + _SECOND


def _lies_under(family: TokenFamily, cut: Cut) -> bool:
    if not cut.until_now and cut.up_to is not None and family.approved_at > cut.up_to:
        return False
    carried = {
        CutKind.FAMILY: family.family_id,
        CutKind.SESSION: family.sign_in.get("sid", ""),
        CutKind.SUBJECT: family.subject,
        CutKind.CLIENT: family.client_id,
        CutKind.EVERYTHING: cut.value,
    }
    return carried.get(cut.kind) == cut.value


def _ends_session(session: Session, cut: Cut) -> bool:
    if not cut.until_now and cut.up_to is not None and session.auth_time > cut.up_to:
        return False
    carried = {CutKind.SESSION: session.session_id, CutKind.SUBJECT: session.subject, CutKind.EVERYTHING: cut.value}
    return carried.get(cut.kind) == cut.value


def _mark_owner(tables: Tables, kind: CutKind, value: str, up_to: datetime | None, at: datetime) -> None:
    """Write the cut to its user or client too, so that whoever reads that row issues nothing under the cut."""
    if up_to is None:
        return
    if kind is CutKind.SUBJECT and (held := tables.users.get(value)):
        tables.users[value] = replace(held, user=replace(held.user, cut_at=later_cut(held.user.cut_at, up_to)))
        tables.note_change("user", value, at)
    if kind is CutKind.CLIENT and (client := tables.clients.get(value)):
        tables.clients[value] = replace(client, cut_at=later_cut(client.cut_at, up_to))
        tables.note_change("client", value, at)
