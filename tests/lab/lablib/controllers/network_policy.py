# SPDX-License-Identifier: MIT
"""NetworkPolicies, as nftables rules for the pods of the real node.

What a network plug-in does on a cluster: a pod that a policy selects takes (and, where the policy says so, begins) only what some
policy allows it. Policies add up. What the node itself sends, kubelet's probes above all, always arrives; only the router,
which has an address of its own for this, is treated as OpenShift treats routers on the host network.
"""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network

from lablib.controllers.api import ApiError, Object
from lablib.controllers.mirror import Key, Mirror

log = logging.getLogger("network policies")
TABLE = "lab-policies"
INGRESS, EGRESS = "Ingress", "Egress"
# Where a cluster of each profile runs its DNS, and by which labels policies may know it.
DNS = {
    "openshift": ("openshift-dns", {"dns.operator.openshift.io/daemonset-dns": "default"}),
    "kubernetes": ("kube-system", {"k8s-app": "kube-dns"}),
}
HOST_NETWORK = "openshift-host-network"  # the namespace whose labels stand for the nodes
# Protocol → its nftables name; a policy's rule without ports allows every protocol.
PROTOCOLS = {"TCP": "tcp", "UDP": "udp", "SCTP": "sctp"}
SIDES = {INGRESS: ("saddr", "from"), EGRESS: ("daddr", "to")}


@dataclass(frozen=True)
class Pod:
    """Something with an address that policies know: a pod, or the router."""

    namespace: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Mapping[tuple[str, str], int] = field(default_factory=dict)  # (protocol, name) → number


def pods(items: Iterable[Object]) -> list[Pod]:
    """The pods that have an address of their own and have not ended."""
    found = []
    for item in items:
        status, metadata = item.get("status") or {}, item["metadata"]
        if (
            not status.get("podIP")
            or item["spec"].get("hostNetwork")
            or status.get("phase") in ("Succeeded", "Failed")
        ):
            continue
        ports = {
            (port.get("protocol", "TCP"), port["name"]): port["containerPort"]
            for container in item["spec"].get("containers") or ()
            for port in container.get("ports") or ()
            if port.get("name")
        }
        labels = metadata.get("labels") or {}
        found.append(Pod(metadata["namespace"], status["podIP"], labels, ports))
    return found


def matches(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a label selector selects; the empty one selects everything."""
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], expression.get("values") or ()
        verdict = {
            "In": labels.get(key) in values,
            "NotIn": labels.get(key) not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }[expression["operator"]]
        if not verdict:
            return False
    return True


def render(
    policies: Iterable[Object],
    here: Iterable[Pod],
    namespaces: Iterable[Object],
    router: str,
    beside: Iterable[Pod] = (),
) -> str:
    """The whole ruleset; it replaces the one before in one step.

    `here`: the node's pods. `router`: the address from which the router connects. `beside`: what a cluster runs in pods
    and the lab does not, such as its DNS.
    """
    here = sorted(here, key=lambda pod: pod.address)
    labels = {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces}
    by_namespace: dict[str, list[Object]] = {}
    for policy in policies:
        by_namespace.setdefault(policy["metadata"]["namespace"], []).append(policy)
    peers = [*here, Pod(HOST_NETWORK, router), *beside]
    chains, jumps = [], {INGRESS: [], EGRESS: []}  # type: ignore[var-annotated]
    for pod in here:
        for direction in (INGRESS, EGRESS):
            chosen = [
                policy
                for policy in by_namespace.get(pod.namespace, ())
                if direction in _directions(policy)
                and matches(policy["spec"].get("podSelector") or {}, pod.labels)
            ]
            if chosen:
                name = f"{direction.lower()}-{pod.address}"
                rules = [
                    rule
                    for policy in chosen
                    for rule in _rules(policy, direction, pod, peers, labels)
                ]
                # Nothing keeps a pod from itself (through its own service).
                rules.append(f"ip {SIDES[direction][0]} {pod.address}")
                lines = "\n".join(f"    {rule} return" for rule in sorted(set(rules)))
                chains.append(f"  chain {name} {{\n{lines}\n    counter drop\n  }}\n")
                jumps[direction].append(f"{pod.address} : jump {name}")
    return _RULESET.format(
        table=TABLE,
        chains="".join(chains),
        into=_dispatch("daddr", jumps[INGRESS]),
        out=_dispatch("saddr", jumps[EGRESS]),
        router=router,
    )


def _directions(policy: Object) -> list[str]:
    spec = policy["spec"]
    return list(spec.get("policyTypes") or [INGRESS, *([EGRESS] if spec.get("egress") else [])])


# Answers belong to what was allowed when it began. `output` holds what the node itself sends.
_RULESET = """\
table inet {table}
delete table inet {table}
table inet {table} {{
{chains}\
  chain pods {{
    ct state established,related return
{out}{into}\
  }}
  chain forward {{
    type filter hook forward priority filter + 10; policy accept;
    jump pods
  }}
  chain input {{
    type filter hook input priority filter + 10; policy accept;
    ct state established,related return
{out}\
  }}
  chain output {{
    type filter hook output priority filter + 10; policy accept;
    ip saddr {router} jump pods
  }}
}}
"""


def _dispatch(side: str, jumps: list[str]) -> str:
    return f"    ip {side} vmap {{ {', '.join(jumps)} }}\n" if jumps else ""


def _rules(
    policy: Object,
    direction: str,
    pod: Pod,
    peers: list[Pod],
    labels: Mapping[str, Mapping[str, str]],
) -> Iterator[str]:
    """The conditions under which this policy lets something through to (or from) the pod."""
    side, field_name = SIDES[direction]
    for rule in policy["spec"].get(direction.lower()) or ():
        wanted = rule.get(field_name)
        own = policy["metadata"]["namespace"]
        # Names of ports are those of the pod that is connected to.
        targets: list[tuple[str, Pod | None]] = []
        if not wanted:
            targets.append(("", pod if direction == INGRESS else None))
        for peer in wanted or ():
            if "ipBlock" in peer:
                targets.append((_block(peer["ipBlock"], side), None))
                continue
            for other in peers:
                if _is_peer(peer, other, own, labels):
                    targets.append((f"ip {side} {other.address}", other))
        for condition, other in targets:
            for port in _ports(rule.get("ports"), pod if direction == INGRESS else other):
                yield f"{condition} {port}".strip()


def _is_peer(peer: Object, other: Pod, own: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    if "namespaceSelector" in peer:
        if not matches(peer["namespaceSelector"], labels.get(other.namespace, {})):
            return False
    elif other.namespace != own:
        return False
    return matches(peer.get("podSelector") or {}, other.labels)


def _block(block: Object, side: str) -> str:
    if ip_network(block["cidr"]).version != 4:
        return "ip6 " + f"{side} {block['cidr']}"
    excepted = ", ".join(block.get("except") or ())
    return f"ip {side} {block['cidr']}" + (f" ip {side} != {{ {excepted} }}" if excepted else "")


def _ports(wanted: list[Object] | None, target: Pod | None) -> Iterator[str]:
    if not wanted:
        yield ""
    for item in wanted or ():
        protocol, port = item.get("protocol", "TCP"), item.get("port")
        if isinstance(port, str):
            port = target.ports.get((protocol, port)) if target else None
            if port is None:
                continue  # nothing there has a port of that name
        name = PROTOCOLS[protocol]
        if port is None:
            yield f"meta l4proto {name}"
        else:
            yield f"{name} dport {port}" + (f"-{item['endPort']}" if item.get("endPort") else "")


def load(ruleset: str) -> None:
    """Put it into the kernel. ApiError when nft refuses: tried again like everything else."""
    done = subprocess.run(
        ["nft", "-f", "-"], input=ruleset, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ApiError(0, f"nft: {done.stderr.strip()}")


class NetworkPolicies:
    """Keeps the kernel's rules equal to what the policies say."""

    kinds = ("NetworkPolicy", "Pod", "Namespace")

    def __init__(
        self,
        mirrors: Mapping[str, Mirror],
        router: str,
        put: Callable[[str], None] = load,
        beside: Iterable[Pod] = (),
    ) -> None:
        self._mirrors = mirrors
        self._router = router
        self._put = put
        self._beside = tuple(beside)
        self._lock = threading.Lock()
        self._loaded = ""

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return ("", ""), 0.05  # all together, soon

    def reconcile(self, kind: str, key: Key) -> None:
        with self._lock:
            ruleset = render(
                self._mirrors["NetworkPolicy"].items(),
                pods(self._mirrors["Pod"].items()),
                self._mirrors["Namespace"].items(),
                self._router,
                self._beside,
            )
            if ruleset != self._loaded:
                self._put(ruleset)
                self._loaded = ruleset
                log.info("loaded")
