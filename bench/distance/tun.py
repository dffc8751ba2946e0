"""Network devices whose packets a process reads and writes (TUN); Linux, and root."""

import fcntl
import os
import struct
import subprocess

# Addresses for measurements within one site (RFC 2544): nobody on the internet has them.
NEAR, FAR = "198.18.7.1", "198.18.7.2"
DEVICE_FILE = "/dev/net/tun"
# linux/if_tun.h: a device of whole IP packets, without a header before them.
_TUNSETIFF = 0x400454CA
_IFF_TUN, _IFF_NO_PI = 0x0001, 0x1000
_REQUEST = struct.Struct("16sH22x")


def open_tun() -> tuple[int, str]:
    """Make a device in this process's network namespace; it goes when its file is closed."""
    device = os.open(DEVICE_FILE, os.O_RDWR | os.O_NONBLOCK)
    request = _REQUEST.pack(b"bench%d", _IFF_TUN | _IFF_NO_PI)
    name, _ = _REQUEST.unpack(fcntl.ioctl(device, _TUNSETIFF, request))
    return device, name.rstrip(b"\0").decode()


def connect_tun(name: str, own: str, other: str) -> None:
    """Give the device its address, and the one that is behind it."""
    run_ip("address", "add", own, "peer", other, "dev", name)
    run_ip("link", "set", name, "up")


def run_ip(*arguments: str) -> None:
    """Run iproute2's `ip`.

    Raises:
        OSError: It did not work; the text says why.
    """
    command = ("ip", *arguments)
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 (whichever is on PATH, with our own words)
    if done.returncode:
        raise OSError(f"`{' '.join(command)}`: {done.stderr.strip()}")
