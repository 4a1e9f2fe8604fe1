"""Classify IP addresses: addresses from outside must not lead into Odoo's network."""

import ipaddress

#: IPv6 addresses that embed an IPv4 address, or that belong to a private network: gateways to IPv4 (the
#: local ones too), Teredo, 6to4, IPv4-compatible, IPv4-translated, site-local, segment routing.
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
#: The well-known prefix of gateways to IPv4: in a network with such a gateway, public names resolve to
#: it.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    :param address: IPv4 or IPv6
    """
    found = ipaddress.ip_address(address)
    found = getattr(found, "ipv4_mapped", None) or found
    if any(found.version == net.version and found in net for net in _NOT_PUBLIC):
        return False
    return found.is_global and not found.is_multicast


def is_public_behind(address: str) -> bool:
    """Return whether an IP address, or its IPv4 address behind a gateway, is public.

    :param address: with or without a zone
    """
    found = ipaddress.ip_address(address.split("%")[0])
    if found.version == 6 and found in _NAT64:
        found = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return is_public(str(found))
