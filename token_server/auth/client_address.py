"""Which client a request comes from, as far as addresses tell. Pure."""

import hashlib
from ipaddress import IPv4Address, IPv6Address

from token_server.proxies import address_of

# What all share whose address cannot be read: a limit that they could step around is none.
NO_ADDRESS = "no address"
_NETWORK_OF_ONE = 64  # bits: what a provider gives to one IPv6 customer at least
_BEHIND_NETWORK = 128 - _NETWORK_OF_ONE
# Characters. Whoever is remembered costs no more memory than this.
_LONGEST_NAME = 256


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


def end_user_of(told: str) -> str:
    """Return what stands for an end user by a backend's word: an address, or any text; "" for none.

    An address counts as `client_of` has it; a text that is too long as its hash.
    """
    # A header's bytes come as Latin-1: for str.strip half an "à" in UTF-8 is a space, too.
    name = told.strip(" \t")
    network = _network_of(name)
    if network != NO_ADDRESS:
        return network
    is_long = len(name) > _LONGEST_NAME
    return hashlib.sha256(name.encode()).hexdigest() if is_long else name


def _network_of(unverified_address: str) -> str:
    host = _without_port(unverified_address.strip())
    # A scope (%eth0) is a name of the machine that has written it.
    address = address_of(host.partition("%")[0])
    if address is None:
        return NO_ADDRESS
    if isinstance(address, IPv4Address):
        return str(address)
    # ipaddress' own network takes six times as long.
    network = int(address) >> _BEHIND_NETWORK << _BEHIND_NETWORK
    return f"{IPv6Address(network)}/{_NETWORK_OF_ONE}"


def _without_port(host: str) -> str:
    """Return the host of `1.2.3.4:80`, `[2001:db8::1]:80` or `[2001:db8::1]`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0] if host.count(":") == 1 else host
