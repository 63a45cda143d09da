"""What may be done to the keys: each a function from the keys before to those after, run anew when a race is lost."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from authcenter.core.errors import Conflict
from authcenter.core.ids import Kid
from authcenter.stores.ports.keys import StoredKey

Keys: TypeAlias = dict[Kid, StoredKey]
# None: nothing is to be changed. Raises ``Conflict`` where a kid is taken.
Edit: TypeAlias = Callable[[Keys], Keys | None]


def adding(key: StoredKey) -> Edit:
    """``SigningKeyStore.add``."""
    return lambda keys: _with(keys, key)


def succeeding(key: StoredKey, predecessor: Kid | None) -> Edit:
    """``SigningKeyStore.succeed``."""

    def edit(keys: Keys) -> Keys | None:
        line = [one for one in keys.values() if one.alg == key.alg and not one.retired_at and not one.revoked_at]
        last = max(line, key=lambda one: (one.signs_from, one.created_at, one.kid), default=None)
        return _with(keys, key) if (last.kid if last else None) == predecessor else None

    return edit


def replacing(key: StoredKey, successor: StoredKey | None) -> Edit:
    """``SigningKeyStore.replace``."""

    def edit(keys: Keys) -> Keys | None:
        held = keys.get(key.kid)
        if held is None or held.revoked_at is not None:
            return None
        ended = replace(
            held,
            private_pem=held.private_pem if key.private_pem else "",
            retired_at=held.retired_at or key.retired_at,
            revoked_at=key.revoked_at,
        )
        after = keys | {key.kid: ended}
        return _with(after, successor) if successor is not None else after

    return edit


def relocking(kid: Kid, before: str, after: str) -> Edit:
    """``SigningKeyStore.relock``."""

    def edit(keys: Keys) -> Keys | None:
        held = keys.get(kid)
        if held is None or held.private_pem != before:
            return None
        return keys | {kid: replace(held, private_pem=after)}

    return edit


def dropping(kid: Kid, ceased_at: datetime) -> Edit:
    """``SigningKeyStore.drop``."""

    def edit(keys: Keys) -> Keys | None:
        held = keys.get(kid)
        if held is None or not held.private_pem:
            return None
        return keys | {kid: replace(held, private_pem="", retired_at=held.retired_at or ceased_at)}

    return edit


def _with(keys: Keys, key: StoredKey) -> Keys:
    if key.kid in keys:
        raise Conflict(f"signing key {key.kid}")
    return keys | {key.kid: key}
