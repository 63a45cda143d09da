"""Signed checkpoints: how far every chain has come, chained to the checkpoint before.

A chain alone does not show that its end was cut off. A checkpoint does, for all that is older than it; printed to the
log, a copy of it lies where whoever can write to the database cannot.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from authcenter.audit.chain import GENESIS, canonical
from authcenter.core import base64url
from authcenter.core.derived import hkdf
from authcenter.stores.ports.audit_trail import Checkpoint, Heads, read_heads

_LABEL = "audit checkpoint"


@dataclass(frozen=True, slots=True)
class CheckpointKeys:
    """Ed25519, derived from the root secrets: the first root's signs, all verify."""

    signer: Ed25519PrivateKey
    verifiers: Mapping[str, Ed25519PublicKey]

    @classmethod
    def derive(cls, roots: Sequence[bytes]) -> Self:
        if not roots:
            raise ValueError("no root secret")
        private = [Ed25519PrivateKey.from_private_bytes(hkdf(root, _LABEL)) for root in roots]
        return cls(private[0], {key_name(key.public_key()): key.public_key() for key in private})

    def sign(self, checkpoint: Checkpoint) -> Checkpoint:
        named = replace(checkpoint, key=key_name(self.signer.public_key()))
        return replace(named, signature=base64url.encode(self.signer.sign(_statement(named))))

    def verifies(self, checkpoint: Checkpoint) -> bool | None:
        """Whether one of our keys signed it; None: its key is not known here."""
        key = self.verifiers.get(checkpoint.key)
        return None if key is None else _is_signed(key, checkpoint.signature, _statement(checkpoint))

    def prove(self, statement: bytes) -> str:
        """Key and signature, for the context of a row."""
        return f"{key_name(self.signer.public_key())}.{base64url.encode(self.signer.sign(statement))}"

    def proves(self, proof: str, statement: bytes, *, older: Collection[str] = ()) -> bool:
        """Whether one of our keys signed it, or one of ``older``, named so, which were ours."""
        name, _, signature = proof.partition(".")
        key = self.verifiers.get(name) or (_public_key(name) if name in older else None)
        return key is not None and _is_signed(key, signature, statement)


def key_name(key: Ed25519PublicKey) -> str:
    """The key itself, base64url: whoever has a checkpoint can tell by which key it is to be verified."""
    return base64url.encode(key.public_bytes_raw())


def _public_key(name: str) -> Ed25519PublicKey | None:
    try:
        return Ed25519PublicKey.from_public_bytes(base64url.decode(name))
    except ValueError:
        return None


def _is_signed(key: Ed25519PublicKey, signature: str, statement: bytes) -> bool:
    try:
        key.verify(base64url.decode(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def next_checkpoint(before: Checkpoint | None, at: datetime, heads: Heads) -> Checkpoint:
    """Over the heads that moved since ``before``."""
    return Checkpoint(
        number=before.number + 1 if before else 1,
        at=at.isoformat(timespec="microseconds"),
        heads=heads,
        archived={},
        complete=before is None,
        prev_hash=checkpoint_hash(before) if before else GENESIS,
    )


def closing_checkpoint(before: Checkpoint | None, at: datetime, heads: Heads, archived: Heads) -> Checkpoint:
    """Closes an archive: over all heads, and saying where the rows that stay begin."""
    return replace(next_checkpoint(before, at, heads), archived=archived, complete=True)


def checkpoint_hash(checkpoint: Checkpoint) -> str:
    """SHA-256 over the statement and its signature, hexadecimal."""
    return hashlib.sha256(_statement(checkpoint) + b"." + checkpoint.signature.encode()).hexdigest()


def checkpoint_document(checkpoint: Checkpoint) -> dict[str, Any]:
    """As it is written to archives and to the log."""
    return {**_members(checkpoint), "signature": checkpoint.signature}


def read_checkpoint(document: Mapping[str, Any]) -> Checkpoint:
    """What ``checkpoint_document`` made. Raises ``ValueError``."""
    try:
        checkpoint = Checkpoint(
            number=_typed(document["number"], int),
            at=_typed(document["at"], str),
            heads=read_heads(document["heads"]),
            archived=read_heads(document["archived"]),
            complete=_typed(document["complete"], bool),
            prev_hash=_typed(document["prev_hash"], str),
            key=_typed(document["key"], str),
            signature=_typed(document["signature"], str),
        )
    except (KeyError, TypeError) as lacking:
        raise ValueError(f"no checkpoint: {lacking}") from lacking
    return checkpoint


def _statement(checkpoint: Checkpoint) -> bytes:
    return canonical(_members(checkpoint)).encode()


def _members(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "number": checkpoint.number,
        "at": checkpoint.at,
        "heads": _plain(checkpoint.heads),
        "archived": _plain(checkpoint.archived),
        "complete": checkpoint.complete,
        "prev_hash": checkpoint.prev_hash,
        "key": checkpoint.key,
    }


def _plain(heads: Heads) -> dict[str, list[object]]:
    return {writer: [head.sequence, head.row_hash] for writer, head in sorted(heads.items())}


def _typed(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError(f"{json.dumps(value, default=str)[:80]} is no {kind.__name__}")
    return value
