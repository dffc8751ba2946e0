"""Which client a request comes from, as far as addresses tell. Pure."""

import ipaddress

# What all share whose address cannot be read: a limit that they could step around is none.
NO_ADDRESS = "no address"
_NETWORK_OF_ONE = 64  # bits: what a provider gives to one IPv6 customer at least
_BEHIND_NETWORK = 128 - _NETWORK_OF_ONE


def client_of(remote_address: str, unverified_forwarded_for: str, trusted_proxies: int) -> str:
    """Return what stands for one client: an IPv4 address, an IPv6 network, or NO_ADDRESS.

    Args:
        remote_address: Of whoever has connected to us; empty if that is over a unix socket.
        unverified_forwarded_for: The X-Forwarded-For header. Each proxy of ours appends the address
            that it was asked from; what stands before these may be anybody's invention.
        trusted_proxies: How many proxies of ours append. With fewer entries the request has not
            come through all of them, and whoever has connected counts.
    """
    entries = unverified_forwarded_for.rsplit(",", trusted_proxies)[-trusted_proxies:]
    is_forwarded = bool(unverified_forwarded_for and trusted_proxies)
    if is_forwarded and len(entries) == trusted_proxies:
        return _network_of(entries[0])
    return _network_of(remote_address)


def _network_of(unverified_address: str) -> str:
    host = _without_port(unverified_address.strip())
    try:
        # A scope (%eth0) is a name of the machine that has written it.
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return NO_ADDRESS
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    # ipaddress' own network takes six times as long.
    network = int(address) >> _BEHIND_NETWORK << _BEHIND_NETWORK
    return f"{ipaddress.IPv6Address(network)}/{_NETWORK_OF_ONE}"


def _without_port(host: str) -> str:
    """Return the host of `1.2.3.4:80`, `[2001:db8::1]:80` or `[2001:db8::1]`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
