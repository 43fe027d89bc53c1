# SPDX-License-Identifier: MIT
"""The lab's network: a namespace of its own without a default route, and one veth pair to the host.

The host reaches the lab's address (API server, router, DNS); the lab answers but cannot begin anything towards the host,
and knows no way to anywhere else. Pods are routed, not bridged (CNI plug-in ptp): replies to a service's address then
always pass the namespace's own connection tracking, whatever the kernel's bridge does.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable

from lablib import commands, namespaces
from lablib.errors import LabError
from lablib.settings import ROUTER_SOURCE, SERVICE_CIDR, Settings

RANGE = ipaddress.ip_network(
    "198.18.0.0/15"
)  # RFC 2544, for tests of network equipment: on no real network
UPLINK = "uplink"  # the lab's end of the veth pair

# Only answers leave the namespace. `reject`, so that an attempt fails at once.
FIREWALL = f"""
table inet lab
delete table inet lab
table inet lab {{
  chain output {{
    type filter hook output priority filter; policy accept;
    oifname "{UPLINK}" ct state established,related accept
    oifname "{UPLINK}" counter reject with icmpx type admin-prohibited
  }}
  chain forward {{
    type filter hook forward priority filter; policy accept;
    oifname "{UPLINK}" ct state established,related accept
    oifname "{UPLINK}" counter reject with icmpx type admin-prohibited
  }}
}}
"""


def choose_subnet(wish: int, taken: Iterable[str]) -> ipaddress.IPv4Network:
    """The first free /30 of RANGE, from the `wish`-th on (any number; it wraps); `taken` holds addresses and prefixes."""
    used = [ipaddress.ip_network(text, strict=False) for text in taken]
    used = [
        network
        for network in used
        if network.version == 4 and network.prefixlen and network.overlaps(RANGE)
    ]
    count = RANGE.num_addresses // 4
    for step in range(count):
        start = int(RANGE.network_address) + (wish + step) % count * 4
        candidate = ipaddress.IPv4Network((start, 30))
        if not any(candidate.overlaps(network) for network in used):
            return candidate
    raise LabError(f"no free /30 left in {RANGE}: `ip route` shows what takes it")


def taken(routes: Iterable[dict[str, object]]) -> list[str]:
    """Destinations of `ip -json route show table all`, without default routes."""
    found = []
    for route in routes:
        destination = str(route.get("dst", ""))
        try:
            ipaddress.ip_network(destination, strict=False)
        except ValueError:
            continue  # "default"
        found.append(destination)
    return found


def link_exists(name: str) -> bool:
    """Not asked of /sys, which shows the network namespace it was mounted in: `lab run -- lab up` is in another."""
    return commands.succeeds(["ip", "link", "show", "dev", name])


def pick(settings: Settings) -> tuple[str, str]:
    """(host's address, lab's address) of a /30 that no route of this machine touches."""
    routes = json.loads(
        commands.run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"
    )
    hosts = list(choose_subnet(int(settings.id, 16), taken(routes)).hosts())
    return str(hosts[0]), str(hosts[1])


def still_free(settings: Settings) -> bool:
    """Whether the remembered addresses can be used: our link has them, or nothing has."""
    if not settings.address:
        return False
    if link_exists(settings.link):
        return True
    routes = json.loads(
        commands.run(["ip", "-json", "-4", "route", "show", "table", "all"]) or "[]"
    )
    ours = ipaddress.ip_network(f"{settings.address}/30", strict=False)
    return not any(
        ours.overlaps(other) for other in map(_network, taken(routes)) if other.prefixlen
    )


def _network(text: str) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network(text, strict=False)


def ensure(settings: Settings) -> None:
    """Make what is missing of namespace, links, addresses, routes and firewall."""
    inside = enter(settings)
    if not commands.succeeds([*inside, "true"]):
        namespaces.release(settings, "net")
        namespaces.create(settings, "net")
    if not link_exists(settings.link) or not commands.succeeds(
        [*inside, "ip", "link", "show", UPLINK]
    ):
        remove(settings)
        target = str(namespaces.pin(settings, "net"))
        commands.run(
            [
                "ip",
                "link",
                "add",
                settings.link,
                "type",
                "veth",
                "peer",
                "name",
                UPLINK,
                "netns",
                target,
            ]
        )
    # IPv4 only: a link-local IPv6 address would be another way to the host.
    commands.run(["ip", "link", "set", settings.link, "addrgenmode", "none"])
    commands.run(["ip", "addr", "replace", f"{settings.host_address}/30", "dev", settings.link])
    commands.run(["ip", "link", "set", settings.link, "up"])
    lines = [
        "link set lo up",
        f"addr replace {ROUTER_SOURCE}/32 dev lo",
        f"link set {UPLINK} addrgenmode none",
        f"addr replace {settings.address}/30 dev {UPLINK}",
        f"link set {UPLINK} up",
        # Without any route to it the kernel refuses a service's address before kube-proxy's rules could translate it.
        f"route replace {SERVICE_CIDR} dev lo src {settings.address}",
    ]
    commands.run([*inside, "ip", "-batch", "-"], stdin="\n".join(lines) + "\n")
    switches = "echo 1 >/proc/sys/net/ipv4/ip_forward && echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start"
    commands.run([*inside, "/bin/sh", "-c", switches])
    commands.run([*inside, "nft", "-f", "-"], stdin=FIREWALL)


def enter(settings: Settings) -> list[str]:
    """The start of a command line that runs its rest in the lab's network; nothing in mode loopback."""
    return namespaces.enter(settings, "net")


def remove(settings: Settings) -> None:
    """Take the links away; the namespace goes with its pin."""
    if link_exists(settings.link):
        commands.run(["ip", "link", "delete", settings.link])
