"""What a push changes, shown before it is done; and the push."""

import difflib
import json
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from authcenter.core.errors import Conflict, NotFound, Unavailable
from authcenter.core.event import Event, EventKind
from authcenter.core.origin import RequestOrigin
from authcenter.settings.errors import PolicyError
from authcenter.settings.policy import Policy, parse_policy
from authcenter.settings.policy_store import Held, KeptVersion, PolicyStore


@dataclass(frozen=True, slots=True)
class Proposal:
    """A document, and what it would replace.

    Attributes:
        before: The policy that is held; None where there is none, or what is held does not validate.
        over: What it was read from.
    """

    text: str
    after: Policy
    before: Policy | None
    over: Held | None

    @property
    def changes_nothing(self) -> bool:
        return self.before is not None and self.before.version == self.after.version

    @property
    def replaced(self) -> str:
        """The version that is held; empty: none, or it does not validate."""
        return self.before.version if self.before is not None else ""

    @property
    def difference(self) -> str:
        """The unified difference of the two policies, a field a line, defaults filled in. Comments are none."""
        former = self.before or Policy()
        label = former.version if self.before is not None else "built-in defaults"
        lines = difflib.unified_diff(
            list(policy_lines(former)), list(policy_lines(self.after)), label, self.after.version, lineterm="", n=0
        )
        return "\n".join(lines)


def policy_lines(policy: Policy) -> Iterator[str]:
    """Every field, as ``section.field: value``."""
    for name in type(policy).model_fields:
        section = getattr(policy, name)
        if isinstance(section, BaseModel):
            yield from (f"{name}.{field}: {json.dumps(value)}" for field, value in _dumped(section).items())
        else:
            for key in sorted(section):
                yield f"{name}.{key}: {json.dumps(_dumped(section[key]))}"


def _dumped(section: BaseModel) -> dict[str, object]:
    dumped: dict[str, object] = section.model_dump(mode="json")
    return dumped


async def propose(store: PolicyStore, text: str) -> Proposal:
    """Compare a document with what the store holds.

    Raises:
        PolicyError: The document does not validate.
        Unavailable, OSError: The store does not answer.
    """
    after = parse_policy(text, source=store.name)
    held = await store.held()
    return Proposal(text, after, _valid(held, store.name), held)


async def push(store: PolicyStore, proposal: Proposal, *, actor: str, at: datetime) -> None:
    """Put the proposed document in the place of the one it was compared with.

    Raises:
        Conflict: Somebody else has pushed meanwhile; nothing has changed.
        Unavailable, OSError: The store does not answer. Whether the document is held is then to be looked up.
    """
    before, over = proposal.before, proposal.over
    if before is not None and over is not None:
        kept = {version.version for version in await store.versions()}
        if before.version not in kept:
            # Put there by other means: without this copy nobody could roll back to it.
            await store.keep(KeptVersion(before.version, "", "", over.text))
    # To the microsecond: Consul takes the same value written twice for no write, and the order would be the former one.
    new = KeptVersion(proposal.after.version, at.isoformat(timespec="microseconds"), actor, proposal.text)
    if not await store.replace(over, new):
        raise Conflict(
            "the policy has been changed by somebody else meanwhile: nothing was written, look and try again"
        )


async def push_and_record(
    store: PolicyStore,
    proposal: Proposal,
    *,
    actor: str,
    cause: str,
    at: datetime,
    record: Callable[[Event], Awaitable[None]],
    origin: RequestOrigin | None = None,
) -> None:
    """``push``, and have the audit log say so.

    Args:
        cause: By which way: ``api``, ``console``, or what the command is called.
        record: Takes the row once the policy is in force: no transaction holds both.

    Raises:
        Conflict, Unavailable, OSError: As ``push``; and what ``record`` raises.
    """
    context = {"version": proposal.after.version, "replaced": proposal.replaced, "source": store.name, "cause": cause}
    try:
        await push(store, proposal, actor=actor, at=at)
    except (Unavailable, OSError):
        # It may be in force all the same: better a row too many than a policy that nobody has pushed.
        await record(Event(EventKind.POLICY_PUSHED, actor, origin=origin, context=context | {"outcome": "unknown"}))
        raise
    await record(Event(EventKind.POLICY_PUSHED, actor, origin=origin, context=context))


async def version_to_return_to(store: PolicyStore, wanted: str | None) -> KeptVersion:
    """The kept version of that name; None: the newest that is not the one that is held.

    Raises:
        NotFound: There is no such version.
    """
    versions, held = await store.versions(), _valid(await store.held(), store.name)
    in_force = held.version if held is not None else ""
    for version in versions:
        if version.version == wanted or (wanted is None and version.version != in_force):
            return version
    kept = ", ".join(version.version for version in versions) or "none"
    raise NotFound(f"no kept version {wanted!a:.80} (kept: {kept})" if wanted else "no other version is kept")


def _valid(held: Held | None, source: str) -> Policy | None:
    if held is None:
        return None
    try:
        return parse_policy(held.text, source=source)
    except PolicyError:
        return None
