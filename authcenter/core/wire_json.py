"""JSON as it goes out. msgspec takes a tenth of the standard library's time, which a profile showed on the hot path."""

from collections.abc import Mapping

import msgspec

_encoder = msgspec.json.Encoder()


def encode(value: Mapping[str, object] | msgspec.Struct) -> bytes:
    """UTF-8, no white space, members in the order of ``value``: a mapping, or a struct with its fields."""
    return _encoder.encode(value)
