"""The names of keys. What goes together has one hash tag, so that scripts work on a Cluster.

Names that strangers choose (identifiers, addresses, tokens) enter as a digest: bounded, and not to be read off.
"""

import hashlib


def tagged(name: str) -> str:
    """``{digest}``: the hash tag of all that belongs to ``name``."""
    return f"{{{hashlib.sha256(name.encode()).hexdigest()[:32]}}}"


def replay_key(kind: str, value: str) -> str:
    return f"authcenter:used:{tagged(f'{kind} {value}')}"


def counter_key(key: str) -> str:
    return f"authcenter:slots:{tagged(key)}"


def operation_key(key: str, operation: str) -> str:
    """Beside ``counter_key(key)``."""
    return f"authcenter:operation:{tagged(key)}:{operation}"


def entry_key(key: str) -> str:
    return f"authcenter:entry:{tagged(key)}"


def lease_key(key: str) -> str:
    """Beside ``entry_key(key)``."""
    return f"authcenter:lease:{tagged(key)}"


def queue_key(queue: str) -> str:
    return f"authcenter:wake:{{{queue}}}"


def jobs_key(name: str) -> str:
    """All under one tag: one read waits for several."""
    return f"authcenter:{{jobs}}:{name}"
