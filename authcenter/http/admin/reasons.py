"""Why an operator does what cannot be undone: for the audit log, never shown to clients."""

from authcenter.core.errors import InvalidInput
from authcenter.core.members import Members

_LONGEST = 255


def reason_of(members: Members) -> str:
    """The member ``reason``. Raises ``InvalidInput``: it is missing, or no line of text."""
    reason = members.text("reason").strip()
    if not reason or len(reason) > _LONGEST or not reason.isprintable():
        raise InvalidInput(f"reason: say why, in at most {_LONGEST} printable characters")
    return reason
