# SPDX-License-Identifier: MIT
"""The choice of a subnet that nothing else on the machine uses."""

from __future__ import annotations

import ipaddress

import pytest
from lablib import network
from lablib.errors import LabError


@pytest.mark.parametrize(
    ("wish", "taken", "expected"),
    [
        (0, [], "198.18.0.0/30"),
        (1, [], "198.18.0.4/30"),
        (32768, [], "198.18.0.0/30"),  # wraps
        (2**32 - 1, [], "198.19.255.252/30"),
        (0, ["198.18.0.0/30"], "198.18.0.4/30"),
        (0, ["198.18.0.2"], "198.18.0.4/30"),  # a host route
        (0, ["198.18.0.0/24"], "198.18.1.0/30"),
        (0, ["198.18.0.0/16"], "198.19.0.0/30"),  # as some VPN clients take it
        (32767, ["198.19.255.252/30", "198.18.0.0/30"], "198.18.0.4/30"),
        (0, ["0.0.0.0/0", "192.0.2.0/24", "10.0.0.0/8", "fd00::/8"], "198.18.0.0/30"),
    ],
)
def test_choose_subnet(wish: int, taken: list[str], expected: str) -> None:
    assert network.choose_subnet(wish, taken) == ipaddress.ip_network(expected)


def test_a_full_range_is_told() -> None:
    with pytest.raises(LabError, match=r"no free /30 left in 198\.18\.0\.0/15"):
        network.choose_subnet(5, ["198.0.0.0/8"])


def test_routes_as_iproute2_tells_them() -> None:
    routes = [
        {"dst": "default", "gateway": "192.0.2.1", "dev": "eth0"},
        {"dst": "192.0.2.0/24", "dev": "eth0"},
        {"type": "local", "dst": "198.18.0.1", "dev": "lm-1"},
        {"type": "unreachable", "dst": "10.0.0.0/8"},
    ]
    assert network.taken(routes) == ["192.0.2.0/24", "198.18.0.1", "10.0.0.0/8"]
