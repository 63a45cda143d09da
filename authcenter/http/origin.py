"""Where a request comes from, past the proxies that are trusted."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from aiohttp import hdrs, web

from authcenter.core.ids import new_request_id
from authcenter.core.origin import RequestOrigin

_LONGEST = 200
Network = IPv4Network | IPv6Network


class OriginReader:
    """Reads the origin of requests. Forwarded headers count only where a trusted proxy sent them."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def read(self, request: web.BaseRequest) -> RequestOrigin:
        peer = request.remote or ""
        headers = request.headers
        user_agent = storable(headers.get(hdrs.USER_AGENT, ""))
        if not self.trusts(request):
            return RequestOrigin(new_request_id(), peer, user_agent)
        caller = storable(headers.get("X-Request-Id", ""))
        return RequestOrigin(new_request_id(), self._client(request, peer), user_agent, caller, by_proxy=True)

    def trusts(self, request: web.BaseRequest) -> bool:
        """Whether it comes straight from a trusted proxy."""
        return bool(self._trusted) and self._is_trusted(request.remote or "")

    def _client(self, request: web.BaseRequest, peer: str) -> str:
        """The rightmost address that is not a trusted proxy's."""
        forwarded = [element.get("for", "") for element in request.forwarded]
        listed = ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")
        told = {self._rightmost(chain, peer) for chain in (forwarded, listed) if any(map(str.strip, chain))}
        # A proxy that writes one of the two headers passes on what a stranger wrote into the other.
        return told.pop() if len(told) == 1 else peer

    def _rightmost(self, chain: Sequence[str], peer: str) -> str:
        for hop in reversed([_bare(hop) for hop in chain if hop.strip()]):
            if not self._is_trusted(hop):
                return hop if _is_address(hop) else peer
            peer = hop
        return peer

    def _is_trusted(self, address: str) -> bool:
        try:
            ip = ip_address(address)
        except ValueError:
            return False
        return any(ip in network for network in self._trusted if network.version == ip.version)


def storable(header: str) -> str:
    """The beginning of a header, bytes that are not UTF-8 (aiohttp makes lone surrogates of them) written out."""
    shown = header[:_LONGEST]
    return shown if shown.isascii() else shown.encode(errors="backslashreplace").decode()


def _bare(hop: str) -> str:
    """An address without brackets and port (RFC 7239 §6)."""
    hop = hop.strip().strip('"')
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    # A zone (RFC 4007 §11) means something to one machine only, and is of any length.
    return "%" not in text
