"""Where this product may connect to.

The address of a Sage 300 server is typed in by a customer, so without a guard anybody who can sign
up could make our machines talk to our own network, or to the cloud's credential service. This room
only decides; `dialing.py` asks it for every single connection, with the addresses that the name
resolved to at that moment, and then connects to exactly those.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, urlsplit

from integrations.errors import AddressRefused

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

DEFAULT_PORTS = {"https": 443, "http": 80}

# Refused in every mode: this machine, "this network", link-local (the cloud's metadata among it),
# metadata services with addresses of their own (AWS over IPv6, Alibaba, Azure), multicast, reserved.
ALWAYS_DENIED: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/128",
        "::1/128",
        "fe80::/10",
        "fec0::/10",
        "fd00:ec2::254/128",
        "ff00::/8",
        "2001::/32",
    )
)
LOOPBACK: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text) for text in ("127.0.0.0/8", "::1/128")
)
NAT64 = ipaddress.ip_network("64:ff9b::/96")

_STRANGE = re.compile(r"[\x00-\x20\x7f\\]")
_LABELS = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


class PolicyMode(StrEnum):
    """How far the operator lets addresses of customers reach."""

    PUBLIC = "public"
    ALLOWLIST = "allowlist"
    PRIVATE_OK = "private-ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a URL points at, in the one spelling everything below uses."""

    scheme: str
    host: str
    port: int

    @property
    def origin(self) -> str:
        """Scheme, host and port, the port always written."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressPolicy:
    """The operator's decision; a tenant can only be refused by it, never change it.

    `trusted_hosts` are names of ours (BILL's gateways): free of the allow-list, still only public
    addresses on https. `practice_origins` are exact origins, the only ones that may be this machine.
    `forbidden_hosts` are names or addresses of our own parts (database, public host).
    """

    mode: PolicyMode = PolicyMode.PUBLIC
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = frozenset({443})
    practice_origins: frozenset[str] = frozenset()
    trusted_hosts: frozenset[str] = frozenset()
    forbidden_hosts: frozenset[str] = field(default_factory=frozenset)
    allow_http: bool = False

    def check_url(self, url: str, *, is_base: bool = False) -> Target:
        """Say where the URL points, or raise AddressRefused.

        `is_base` is for an address a person typed: it may hold no query. A name is not resolved here.
        """
        parts = _split(url)
        if parts.username is not None or parts.password is not None or "@" in parts.netloc:
            raise _refused("It holds a user name or password before the host; leave these out.")
        if "#" in url or (is_base and "?" in url):
            raise _refused("It holds a '?' or '#'; give only the address up to the server's path.")
        target = Target(scheme=parts.scheme, host=_host(parts), port=_port(parts))
        self.check_target(target)
        if _is_address(target.host):
            self.check_answers(target, [target.host])
        return target

    def check_target(self, target: Target) -> None:
        """Judge scheme, port and name, before any look-up."""
        if target.scheme not in DEFAULT_PORTS:
            raise _refused("Only addresses that begin with https:// can be used.")
        if target.origin in self.practice_origins:
            return
        if target.scheme == "http" and not self._is_http_allowed(target):
            raise _refused(
                "It begins with http://, and the password would travel unprotected. "
                "Use the https:// address of the server."
            )
        if target.port not in self.ports and not self._is_trusted(target):
            allowed = ", ".join(str(port) for port in sorted(self.ports))
            raise _refused(f"Port {target.port} may not be used here; allowed: {allowed}.")
        if target.host in self.forbidden_hosts:
            raise _refused("It belongs to this product itself.")

    def check_answers(self, target: Target, answers: Sequence[str]) -> tuple[str, ...]:
        """Judge every address the name resolved to; one bad answer refuses the name.

        Returns the addresses to connect to, in the order given.
        """
        for answer in answers:
            reason = self._reason_against(target, ipaddress.ip_address(answer.partition("%")[0]))
            if reason:
                raise _refused(f"{target.host} leads to {answer}, {reason}")
        return tuple(answers)

    def _reason_against(self, target: Target, address: Address) -> str:
        inner = _unwrapped(address)
        if target.origin in self.practice_origins:
            return "" if _within(inner, LOOPBACK) else _denied(inner)
        if reason := _denied(inner):
            return reason
        if str(inner) in self.forbidden_hosts:
            return "which belongs to this product itself."
        if self._is_trusted(target) or self.mode is PolicyMode.PUBLIC:
            return "" if inner.is_global else "which is not an address on the public internet."
        if self.mode is PolicyMode.ALLOWLIST:
            allowed = _within(inner, self.networks)
            return "" if allowed else "which is not in the networks the operator allows."
        return ""

    def _is_http_allowed(self, target: Target) -> bool:
        if self._is_trusted(target):
            return False
        return self.allow_http and self.mode is PolicyMode.PRIVATE_OK

    def _is_trusted(self, target: Target) -> bool:
        is_usual = target.scheme == "https" and target.port == DEFAULT_PORTS["https"]
        return is_usual and target.host in self.trusted_hosts


def origin_of(url: str) -> str:
    """The origin of a URL in the guard's spelling ("http://127.0.0.1:8101"), for settings."""
    parts = _split(url)
    return Target(scheme=parts.scheme, host=_host(parts), port=_port(parts)).origin


def _refused(why: str) -> AddressRefused:
    sentence = f"This address cannot be used. {why}"
    return AddressRefused(f"address refused: {why}", sentence=sentence)


def _split(url: str) -> SplitResult:
    if _STRANGE.search(url):
        raise _refused("It holds a space, a backslash or a control character.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _refused("It is not written like an address.") from None
    if not parts.scheme or not parts.netloc:
        raise _refused("It must begin with https:// and name a server.")
    return parts


def _host(parts: SplitResult) -> str:
    name = (parts.hostname or "").rstrip(".").partition("%")[0]
    if ":" in name:
        try:
            return str(ipaddress.IPv6Address(name))
        except ValueError:
            raise _refused("The server's IPv6 address is not written correctly.") from None
    try:
        plain = name.encode("idna").decode("ascii").lower()
    except UnicodeError:
        plain = ""
    if not _LABELS.fullmatch(plain):
        raise _refused("The server's name is not written correctly.")
    return plain


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port is None:
        return DEFAULT_PORTS.get(parts.scheme, 0)
    if not port:
        raise _refused("The port is not a number from 1 to 65535.")
    return port


def _unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4 or NAT64 one; a wrapper hides nothing."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in NAT64 or (int(address) >> 32 == 0 and int(address) > 1):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _denied(address: Address) -> str:
    if _within(address, ALWAYS_DENIED):
        return "which is never allowed (this machine, the local link, or a reserved address)."
    return ""
