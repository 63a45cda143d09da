"""What a client asks for, in words that people understand."""

from collections.abc import Iterable, Sequence

from authcenter.core.scope import OPENID, Scope
from authcenter.http.pages.messages import Messages
from authcenter.stores.ports.clients import ResourceLookup


async def wishes(messages: Messages, resources: ResourceLookup, audience: Iterable[str], scope: Scope) -> Sequence[str]:
    """What ``scope`` means: the protocol's own values, the resources' texts, else the bare value."""
    texts: dict[str, str] = {}
    for name in audience:
        if (resource := await resources.find(name)) is not None:
            texts |= {value: defined.text for value, defined in resource.scopes.items() if defined.text}
    asked = sorted(scope.values - {OPENID})
    return [messages.get(f"scope.{value}") or texts.get(value) or value for value in asked]
