"""What a follower of the revocation feed knows, and how old that is. No I/O: documents come in, answers go out."""

from collections.abc import Iterator
from datetime import UTC, datetime
from math import inf

from authcenter.core.cut import Cut, CutKind, carried_by
from authcenter.core.token import AccessToken
from authcenter.sdk.feed_document import DocumentKind, Entries, HashedCut, hashed_id, shorts_of
from authcenter.sdk.feed_reading import FeedDocument, FeedRejected
from authcenter.sdk.replica import RevocationReplica

MOST_CLOCK_DIFFERENCE_SECONDS = 300.0
"""Documents signed longer ago, or later from now, are refused: somebody repeats them, or a clock is wrong."""

MOST_BACK_SECONDS = 60.0
"""How much less than is known already a snapshot may vouch for: instances differ by seconds. More is a roll-back."""

_MANY = 1_000


class KnownRevocations:
    """Everything the feed has told.

    Attributes:
        cursor: Where the feed is to be followed from; None: a snapshot is needed.
        loaded: Whether there has been a snapshot.
        fresh_at: Up to when everything is known, on the monotonic clock of ``received_at``; minus infinity before that.
    """

    def __init__(self) -> None:
        self._replica = RevocationReplica(8)
        # That of before the newest snapshot, until the snapshot is certain to hold all of it.
        self._former: RevocationReplica | None = None
        self._as_of = self._former_as_of = -inf
        self.cursor: str | None = None
        self.loaded = False
        self.fresh_at = -inf

    def __len__(self) -> int:
        """How many entries there are, tokens and cuts."""
        return len(self._replica)

    @property
    def version(self) -> int:
        """Rises whenever something is learnt."""
        return self._replica.version

    def take(self, document: FeedDocument, now: float, received_at: float) -> None:
        """Take a document.

        Args:
            now: Unix seconds.
            received_at: The same instant on a clock that is never set.

        Raises:
            FeedRejected: It is not what comes next; nothing was taken, and what was known stays known.
        """
        self._check(document, now)
        match document.kind:
            case DocumentKind.SNAPSHOT:
                self._begin(document)
            case DocumentKind.DELTA:
                self._go_on(document.entries)
            case DocumentKind.RESET:
                self.cursor = None
                return
        self.cursor = document.cursor
        self._as_of = max(self._as_of, document.as_of)
        # On its way it may have lain in a buffer; a clock of ours that is behind cannot make it younger than it says.
        age = max(0.0, document.issued_at - document.as_of) + max(0.0, now - document.issued_at)
        self.fresh_at = max(self.fresh_at, received_at - age)

    def refusal(self, token: AccessToken) -> str | None:
        """Why ``token`` is refused, or None where nothing is known against it."""
        former = self._former
        if self._replica.revoked(token) or (former is not None and former.revoked(token)):
            return f"token {token.jti} was revoked"
        return self._replica.cut_reason(token.issued_at, self._carried(token))

    def drop_lapsed(self, before: float) -> None:
        """Forget what refuses only tokens that had expired by ``before`` (Unix seconds)."""
        self._replica.drop_lapsed(datetime.fromtimestamp(before, UTC))
        if self._former is not None and self._as_of > self._former_as_of + MOST_BACK_SECONDS:
            self._former = None

    def _check(self, document: FeedDocument, now: float) -> None:
        if abs(now - document.issued_at) > MOST_CLOCK_DIFFERENCE_SECONDS:
            raise FeedRejected(f"signed {now - document.issued_at:.0f} s ago by this machine's clock")
        if document.as_of > document.issued_at + MOST_BACK_SECONDS:
            raise FeedRejected("it vouches for the future")
        if self._replica.has_cuts(CutKind.KEY) and self._known_key(document):
            raise FeedRejected(f"signed with the key {document.kid:.80}, which was revoked")
        if document.kind is DocumentKind.SNAPSHOT:
            if document.as_of < self._as_of - MOST_BACK_SECONDS:
                raise FeedRejected(f"rolled back by {self._as_of - document.as_of:.0f} s")
            return
        if document.after != self.cursor:
            raise FeedRejected("it goes on from elsewhere")
        if document.kind is DocumentKind.DELTA and document.width != self._replica.width:
            raise FeedRejected("its short hashes are of another length")

    def _known_key(self, document: FeedDocument) -> bool:
        key = _name(hashed_id(CutKind.KEY, document.kid))
        return self._replica.known_cut(CutKind.KEY, key) is not None

    def _begin(self, document: FeedDocument) -> None:
        replica = RevocationReplica(document.width, self._replica.version + 1)
        for group in document.entries.tokens:
            replica.absorb(group.minute, group.high, group.low)
        for cut in document.entries.cuts:
            replica.add_cut(_cut(cut))
        if self.loaded and document.as_of < self._as_of:
            # It comes from an instance that is behind: what another told stays true.
            for kind, name, known in self._replica.cuts():
                known_cut = Cut(kind, name, known.reason, _instant(known.up_to), expires_at=known.expires_at)
                replica.hear_cut(known_cut)
        if self.loaded:
            self._former, self._former_as_of = self._replica, self._as_of
        self._replica, self.loaded = replica, True

    def _go_on(self, entries: Entries) -> None:
        for group in entries.tokens:
            if len(group.high) >= _MANY:
                self._replica.absorb(group.minute, group.high, group.low)
                continue
            for short in shorts_of(group):
                self._replica.add_short(group.minute, short)
        for cut in entries.cuts:
            if cut.lifted:
                self._replica.add_cut(_cut(cut))
            else:
                # May be told late, by an instance that is behind: then it must not undo what is known.
                self._replica.hear_cut(_cut(cut))

    def _carried(self, token: AccessToken) -> Iterator[tuple[CutKind, str]]:
        """What cuts go by, hashed; most kinds have no cut, and a hash costs as much as all the rest."""
        for kind, value in carried_by(token):
            if self._replica.has_cuts(kind):
                yield kind, _name(hashed_id(kind, value))


def _cut(cut: HashedCut) -> Cut:
    expires_at = _instant(cut.expires_at)
    return Cut(cut.kind, _name(cut.hashed), "by the authorization server", _instant(cut.up_to), expires_at=expires_at)


def _instant(seconds: float) -> datetime | None:
    return None if seconds == inf else datetime.fromtimestamp(seconds, UTC)


def _name(hashed: bytes) -> str:
    return hashed.hex()
