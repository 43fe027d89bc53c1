# SPDX-License-Identifier: MIT
"""Which address and which ports a lab uses: chosen free at the first start, then remembered."""

from __future__ import annotations

import contextlib
import dataclasses
import socket

from lablib import network
from lablib.settings import PORTS, Settings

LOOPBACK = "127.0.0.1"


def resolve(settings: Settings, *, running: bool) -> Settings:
    """The settings with addresses that can be used now; `running`: processes of this lab hold the remembered ones."""
    if settings.netns:
        if network.still_free(settings):
            return settings
        host, own = network.pick(settings)
        return dataclasses.replace(settings, address=own, host_address=host)
    if settings.address and (running or all(bindable(port) for port in settings.ports.values())):
        return settings
    return dataclasses.replace(settings, address=LOOPBACK, ports=free_ports())


def free_ports() -> dict[str, int]:
    """A free port of the loopback address for each entry of PORTS, all different: each is held until all are chosen."""
    with contextlib.ExitStack() as held:
        chosen = {}
        for name in PORTS:
            listener = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            listener.bind((LOOPBACK, 0))
            chosen[name] = listener.getsockname()[1]
        return chosen


def bindable(port: int) -> bool:
    """Whether nobody listens on this port of the loopback address."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
