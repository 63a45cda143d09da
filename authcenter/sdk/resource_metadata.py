"""What a resource server says of itself, so that clients find its authorization server (RFC 9728)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from authcenter.core.scope import is_scope_token

_WELL_KNOWN = "/.well-known/oauth-protected-resource"


@dataclass(frozen=True, slots=True)
class ResourceMetadata:
    """The metadata document of one resource, and where it lies.

    Attributes:
        url: Absolute, for ``resource_metadata``.
        path: Where requests for it arrive.
        document: The JSON object.
    """

    url: str
    path: str
    document: Mapping[str, Any]


def resource_metadata(
    resource: str, issuer: str, scopes: Sequence[str] = (), more: Mapping[str, Any] | None = None
) -> ResourceMetadata | None:
    """The metadata of ``resource``; None where its identifier is no http(s) URL, so that there is no place for them.

    Args:
        scopes: For ``scopes_supported``; left out when empty.
        more: Further members (``resource_name``, ``resource_documentation`` …); they cannot replace those above.

    Raises:
        ValueError: A scope value outside the grammar, or an identifier that no header can carry.
    """
    if bad := [scope for scope in scopes if not is_scope_token(scope)]:
        raise ValueError(f"not scope values: {bad}")
    if not resource.isascii() or not resource.isprintable():
        raise ValueError("the resource's identifier must be printable ASCII")
    parts = urlsplit(resource)
    if parts.scheme not in {"https", "http"} or not parts.netloc or parts.fragment:
        return None
    # RFC 9728 §3.1: the well-known string goes between host and path, without the slash that follows the host.
    path = _WELL_KNOWN + ("" if parts.path == "/" else parts.path)
    document = {
        **(more or {}),
        "resource": resource,
        "authorization_servers": [issuer],
        **({"scopes_supported": sorted(scopes)} if scopes else {}),
        "bearer_methods_supported": ["header"],
    }
    return ResourceMetadata(parts._replace(path=path).geturl(), path, document)
