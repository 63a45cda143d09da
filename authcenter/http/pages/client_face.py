"""How a client is shown to people: in their language where it registered that (RFC 7591 §2.2)."""

from authcenter.core.client import Client
from authcenter.core.value import Value
from authcenter.http.pages.rendering import is_web_uri


class ClientFace(Value, frozen=True):
    """What pages tell of a client. Empty text: nothing to show; every URI is one of the web.

    Attributes:
        site: Its home page; ``policy``: its privacy policy; ``terms``: its terms of service.
    """

    name: str
    logo: str
    site: str
    policy: str
    terms: str


def face_of(client: Client, language: str) -> ClientFace:
    """The face of ``client`` for readers of ``language``."""
    party = client.relying_party

    def told(member: str, otherwise: str) -> str:
        return party.localized.get(f"{member}#{language}") or otherwise

    def linked(member: str, otherwise: str) -> str:
        uri = told(member, otherwise)
        return uri if is_web_uri(uri) else ""

    return ClientFace(
        name=told("client_name", client.name) or client.client_id,
        logo=linked("logo_uri", party.logo_uri),
        site=linked("client_uri", party.client_uri),
        policy=linked("policy_uri", party.policy_uri),
        terms=linked("tos_uri", party.tos_uri),
    )
