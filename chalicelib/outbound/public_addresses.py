"""Which internet addresses are public: the others are the deployment's own network, or nobody's."""

from functools import cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

# Written out, as `is_global` means something else in each release of Python.
# iana.org/assignments/iana-ipv4-special-registry, and multicast.
_NOT_PUBLIC_4 = (
    ("0.0.0.0/8", "unspecified"),
    ("10.0.0.0/8", "private"),
    ("100.64.0.0/10", "a carrier's (CGNAT)"),
    ("127.0.0.0/8", "loopback"),
    ("168.63.129.16/32", "a cloud's metadata"),
    ("169.254.0.0/16", "link-local (metadata)"),
    ("172.16.0.0/12", "private"),
    ("192.0.0.0/24", "reserved"),
    ("192.0.2.0/24", "reserved"),
    ("192.88.99.0/24", "reserved"),
    ("192.168.0.0/16", "private"),
    ("198.18.0.0/15", "reserved"),
    ("198.51.100.0/24", "reserved"),
    ("203.0.113.0/24", "reserved"),
    ("224.0.0.0/4", "multicast"),
    ("240.0.0.0/4", "reserved"),
)
# Outside 2000::/3 nothing is public; within it these are not. (iana-ipv6-special-registry.)
_PUBLIC_6 = "2000::/3"
_NOT_PUBLIC_6 = (
    ("2001::/32", "a tunnel (Teredo)"),
    ("2001::/23", "reserved"),
    ("2001:db8::/32", "reserved"),
    ("2002::/16", "a tunnel (6to4)"),
    ("2620:4f:8000::/48", "reserved"),
    ("3fff::/20", "reserved"),
)
_NAMED_6 = (
    ("::/128", "unspecified"),
    ("::1/128", "loopback"),
    ("64:ff9b:1::/48", "a translation (NAT64) of the local network"),
    ("fc00::/7", "private"),
    ("fe80::/10", "link-local"),
    ("ff00::/8", "multicast"),
)
_NAT64 = "64:ff9b::/96"
_MAPPED = "::ffff:0:0/96"


def why_not_public(address: str) -> str | None:
    """What kind of address it is, in words; None: a public one."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "no address"
    return _why_not_4(parsed) if isinstance(parsed, IPv4Address) else _why_not_6(parsed)


def _why_not_4(address: IPv4Address) -> str | None:
    return next((why for network, why in _NOT_PUBLIC_4 if address in _network_4(network)), None)


def _why_not_6(address: IPv6Address) -> str | None:
    # These two lead to the IPv4 address within; the other ways to hide one are refused as such.
    if any(address in _network_6(network) for network in (_MAPPED, _NAT64)):
        return _why_not_4(IPv4Address(int(address) & 0xFFFFFFFF))
    special = _NOT_PUBLIC_6 if address in _network_6(_PUBLIC_6) else (*_NAMED_6, ("::/0", "reserved"))
    return next((why for network, why in special if address in _network_6(network)), None)


@cache
def _network_4(text: str) -> IPv4Network:
    return IPv4Network(text)


@cache
def _network_6(text: str) -> IPv6Network:
    return IPv6Network(text)
