"""A listening socket for the web server, opened before the server is started.

The process that watches holds the socket and hands it on, so a port that is taken is stepped over
without a race, and visitors wait instead of being refused while the web server is replaced.
"""

import errno
import socket

TRIED_PORTS = 50


class NoPortFree(Exception):
    """None of the ports we tried can be listened on; the sentence says which."""


def listen(host: str, wanted: int) -> socket.socket:
    """Return a socket that listens on the wanted port, or on the next free one after it."""
    last = min(wanted + TRIED_PORTS - 1, 65_535)
    for port in range(wanted, last + 1):
        try:
            return socket.create_server((host, port), backlog=256)
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise NoPortFree(f"We cannot listen on {host}: {error.strerror}.") from error
    raise NoPortFree(
        f"The ports {wanted} to {last} on {host} are all taken. Name another one with --port."
    )


def port_of(listener: socket.socket) -> int:
    """Return the port a socket listens on."""
    return int(listener.getsockname()[1])
