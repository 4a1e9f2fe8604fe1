"""Which IP addresses are of the open internet: addresses from outside never lead into Odoo's own network."""

import ipaddress

#: IPv6 addresses in which an IPv4 address is hidden, or that are of a network of one's own: gateways to
#: IPv4 (the local ones too), Teredo, 6to4, IPv4-compatible, IPv4-translated, site-local, segment routing.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(network)
    for network in (
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",
        "2002::/16",
        "::/96",
        "::ffff:0:0:0/96",
        "fec0::/10",
        "5f00::/16",
        "3fff::/20",
        "192.88.99.0/24",
    )
)
#: The well-known prefix of gateways to IPv4: where a network has one, public names have such addresses.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the open internet."""
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    if any(found.version == net.version and found in net for net in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast


def is_public_behind(address: str) -> bool:
    """Return whether an IP address is one of the open internet; of a gateway to IPv4, what lies behind it.

    :param address: with or without a zone
    """
    found = ipaddress.ip_address(address.split("%")[0])
    if found.version == 6 and found in _NAT64:
        found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return is_public(str(found))
