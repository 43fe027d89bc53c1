# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the pods of an instance may connect to, where a site wants that restricted.

Internal to rhpds.litemaas: no stable interface for other collections.

The database and Redis begin no connection at all. The gateway asks the cluster's DNS, its database
and its Redis, and reaches what the site allows. NetworkPolicies know addresses, no host names.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

NAME, ALLOW = variable("egress"), variable("egress_allow")
OPEN, RESTRICTED = "open", "restricted"
Rule = dict[str, Any]

_NAMED = "kubernetes.io/metadata.name"
# Where DNS answers: the namespace and the ports of the pods behind its Service. OpenShift's listen on
# 5353; 53 is for a DNS of the site's own in that namespace.
_DNS = {True: ("openshift-dns", (5353, 53)), False: ("kube-system", (53,))}
_PLACE = re.compile(
    r"(?:\[(?P<v6>[0-9a-fA-F:.]+(?:/[0-9]+)?)\]|(?P<v4>[0-9.]+(?:/[0-9]+)?)):(?P<port>[0-9]+)"
)
_PEERS = {"ipBlock", "namespaceSelector", "podSelector"}
_PORT = {"port", "protocol", "endPort"}
_EXAMPLE = (
    "Write 203.0.113.0/24, 203.0.113.7:443, or a rule with to and ports as in a NetworkPolicy."
)

# Of LiteLLM 1.106: what it would otherwise look for on the internet first, for seconds each time.
LOCAL_ENVIRONMENT = {
    f"LITELLM_LOCAL_{what}": "True"
    for what in ("ANTHROPIC_BETA_HEADERS", "AUTOROUTER_PRESETS", "BLOG_POSTS", "POLICY_TEMPLATES")
}


def restricted(settings: Settings) -> bool:
    """Whether the pods of each instance may connect to no more than is said."""
    return settings["egress"] == RESTRICTED


def dns(openshift: bool) -> Rule:
    """The rule by which a pod may ask the cluster's DNS."""
    namespace, ports = _DNS[openshift]
    return {
        "to": [{"namespaceSelector": {"matchLabels": {_NAMED: namespace}}}],
        "ports": [{"protocol": each, "port": port} for port in ports for each in ("UDP", "TCP")],
    }


def rules(settings: Settings) -> list[Rule]:
    """What every gateway may reach beside its own database and Redis; empty where all is open."""
    if not restricted(settings):
        return []
    given = settings["egress_allow"] if isinstance(settings["egress_allow"], list) else []
    allowed = [rule for item in given for rule in (_rule(item),) if isinstance(rule, dict)]
    return [dns(settings["cluster"]["openshift"]), *allowed]


def problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the two variables."""
    if settings["egress"] not in (OPEN, RESTRICTED):
        remedy = f"Use {OPEN}, or {RESTRICTED} and name in {ALLOW} what the gateways may reach."
        yield wrong(NAME, settings["egress"], f"must be {OPEN} or {RESTRICTED}", remedy)
    given = settings["egress_allow"]
    if not isinstance(given, list):
        yield Problem(ALLOW, "must be a list", _EXAMPLE)
        return
    if given and settings["egress"] == OPEN:
        remedy = f"Set {NAME} to {RESTRICTED}, or leave the list empty."
        yield Problem(ALLOW, f"allows something where {NAME} is {OPEN}, so everything is", remedy)
    if restricted(settings) and settings["database_secret"] and not given:
        problem = f"is empty where {NAME} is {RESTRICTED}, so no gateway would reach its database"
        yield Problem(ALLOW, problem, f"Name the database's address there. {_EXAMPLE}")
    for number, item in enumerate(given, start=1):
        fault = _rule(item)
        if isinstance(fault, str):
            yield Problem(ALLOW, f"has an entry {number} that {fault}", _EXAMPLE)


def warnings(settings: Settings) -> Iterator[str]:
    """A gateway that reaches no model."""
    if restricted(settings) and not settings["egress_allow"]:
        yield (
            f"{NAME} is {RESTRICTED} and {ALLOW} is empty: the gateways reach their databases and "
            "the cluster's DNS, but no model, be it in the cluster or outside."
        )


def _rule(item: Any) -> Rule | str:
    """An entry as a rule of a NetworkPolicy; text says what is wrong with it."""
    if isinstance(item, str):
        return _place(item)
    if not isinstance(item, Mapping):
        return "is neither an address nor a rule"
    peers, ports = item.get("to") or [], item.get("ports") or []
    return _rule_fault(item, peers, ports) or {"to": peers, **({"ports": ports} if ports else {})}


def _rule_fault(item: Mapping[str, Any], peers: Any, ports: Any) -> str:
    """What is wrong with a rule, the first of it."""
    other = ", ".join(sorted(set(item) - {"to", "ports"}))
    if other:
        return f"has {other} beside to and ports"
    if not isinstance(peers, list) or not isinstance(ports, list):
        return "has no list in to or ports"
    if not peers:
        return "names nothing in to, which would allow everything"
    return next(filter(None, (*map(_peer_fault, peers), *map(_port_fault, ports))), "")


def _place(text: str) -> Rule | str:
    """``203.0.113.0/24``, ``203.0.113.7:443`` or ``[2001:db8::/32]:443``."""
    found = _PLACE.fullmatch(text.strip())
    address = (found["v6"] or found["v4"]) if found else text.strip().strip("[]")
    try:
        network = ipaddress.ip_network(address)
    except ValueError as error:
        if "host bits" in str(error):
            return f"is no network ({text}): bits are set behind its mask"
        return f"is no address ({text}); host names are not known to NetworkPolicies"
    rule: Rule = {"to": [{"ipBlock": {"cidr": str(network)}}]}
    if found:
        port = int(found["port"])
        if not 1 <= port <= 65535:
            return f"has the port {port}, which is none"
        rule["ports"] = [{"protocol": "TCP", "port": port}]
    return rule


def _peer_fault(peer: Any) -> str:
    if not isinstance(peer, Mapping) or not peer or not set(peer) <= _PEERS:
        return f"has something else in to than {', '.join(sorted(_PEERS))}"
    block = peer.get("ipBlock")
    if block is None:
        return ""
    if len(peer) > 1:
        return "has an ipBlock and a selector in one peer"
    try:
        ipaddress.ip_network(block["cidr"])
    except (KeyError, TypeError, ValueError):
        return "has an ipBlock without a network in cidr"
    return ""


def _port_fault(port: Any) -> str:
    if not isinstance(port, Mapping) or not set(port) <= _PORT:
        return f"has something else in ports than {', '.join(sorted(_PORT))}"
    number = port.get("port")
    if isinstance(number, bool) or not isinstance(number, (int, str, type(None))):
        return "has a port that is neither a number nor a name"
    if isinstance(number, int) and not 1 <= number <= 65535:
        return f"has the port {number}, which is none"
    if port.get("protocol", "TCP") not in ("TCP", "UDP", "SCTP"):
        return f"has the protocol {port['protocol']}, not TCP, UDP or SCTP"
    return ""
