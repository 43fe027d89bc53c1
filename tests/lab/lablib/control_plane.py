# SPDX-License-Identifier: MIT
"""etcd, kube-apiserver, kube-controller-manager, kube-scheduler: their command lines and configuration files."""

from __future__ import annotations

from pathlib import Path

import yaml
from lablib import files, kubeconfig, network
from lablib.process import Component
from lablib.settings import POD_CIDR, SERVICE_CIDR, Settings

# Requests of these are the cluster talking to itself: in the audit log they would bury what a person or a test did.
SYSTEM_USERS = (
    "lab:apiserver",
    "lab:controllers",
    "lab:dns",
    "lab:kwok",
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
    "system:node:node1",
)
SYSTEM_GROUPS = ("system:nodes", "system:serviceaccounts:kube-system")
AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted"],
    "rules": [
        {"level": "None", "users": list(SYSTEM_USERS)},
        {"level": "None", "userGroups": list(SYSTEM_GROUPS)},
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        {"level": "Metadata"},
    ],
}


def admission(profile: str) -> dict[str, object]:
    """OpenShift refuses what is not restricted unless a namespace says otherwise; plain Kubernetes enforces nothing.

    The namespaces exempted are those of the cluster itself.
    """
    level = {"openshift": "restricted", "kubernetes": "privileged"}[profile]
    modes = ("enforce", "audit", "warn")
    defaults = dict.fromkeys(modes, level) | {f"{mode}-version": "latest" for mode in modes}
    pod_security = {
        "apiVersion": "pod-security.admission.config.k8s.io/v1",
        "kind": "PodSecurityConfiguration",
        "defaults": defaults,
        "exemptions": {"namespaces": ["kube-system", "kube-public", "kube-node-lease"]},
    }
    return {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AdmissionConfiguration",
        "plugins": [{"name": "PodSecurity", "configuration": pod_security}],
    }


def configure(settings: Settings) -> None:
    """Write the API server's policy files."""
    for name, document in (
        ("audit-policy", AUDIT_POLICY),
        ("admission", admission(settings.profile)),
    ):
        files.write(settings.config / f"{name}.yaml", yaml.safe_dump(document, sort_keys=False))


def etcd(settings: Settings, binaries: Path) -> Component:
    """Clients need a certificate: without a network namespace any local user could connect."""
    client = f"https://127.0.0.1:{settings.ports['etcd']}"
    peer = f"https://127.0.0.1:{settings.ports['etcd-peer']}"
    pki = settings.pki
    options = {
        "data-dir": settings.state / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "cert-file": pki / "etcd.crt",
        "key-file": pki / "etcd.key",
        "trusted-ca-file": pki / "ca.crt",
        "client-cert-auth": "true",
        "peer-cert-file": pki / "etcd.crt",
        "peer-key-file": pki / "etcd.key",
        "peer-trusted-ca-file": pki / "ca.crt",
        "peer-client-cert-auth": "true",
        "log-level": "warn",
        # 2 GiB would be full after some runs with a thousand namespaces: old versions are kept for five minutes.
        "quota-backend-bytes": 8 * 2**30,
        # A lab's data is worth little and disks of CI machines are slow.
        "unsafe-no-fsync": "true",
    }
    return _component(settings, binaries, "etcd", options, [pki / "etcd.crt", pki / "ca.crt"])


def apiserver(settings: Settings, binaries: Path) -> Component:
    pki = settings.pki
    options = {
        "etcd-servers": f"https://127.0.0.1:{settings.ports['etcd']}",
        "etcd-cafile": pki / "ca.crt",
        "etcd-certfile": pki / "etcd.crt",
        "etcd-keyfile": pki / "etcd.key",
        "bind-address": settings.address,
        "secure-port": settings.ports["api"],
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "client-ca-file": pki / "ca.crt",
        "requestheader-client-ca-file": pki / "aggregation-ca.crt",
        "requestheader-username-headers": "X-Remote-User",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": pki / "service-accounts.pub",
        "service-account-signing-key-file": pki / "service-accounts.key",
        "service-cluster-ip-range": SERVICE_CIDR,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "admission-control-config-file": settings.config / "admission.yaml",
        # OpenShift's admission of UIDs is imitated by such policies (beta and off by default in 1.34).
        "feature-gates": "MutatingAdmissionPolicy=true",
        "runtime-config": "admissionregistration.k8s.io/v1beta1=true",
        "allow-privileged": "true",
        # The node has no name that resolves: exec, logs and the proxy go to its address.
        "kubelet-preferred-address-types": "InternalIP",
        "kubelet-certificate-authority": pki / "ca.crt",
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "audit-policy-file": settings.config / "audit-policy.yaml",
        "audit-log-path": settings.audit_log,
        "audit-log-maxsize": 100,
        "audit-log-maxbackup": 2,
        # A loopback address is no endpoint of the service `kubernetes`.
        "endpoint-reconciler-type": "lease" if settings.netns else "none",
        "advertise-address": settings.address,
        "profiling": "false",
    }
    policies = [settings.config / f"{name}.yaml" for name in ("audit-policy", "admission")]
    return _component(
        settings,
        binaries,
        "kube-apiserver",
        options,
        [pki / "apiserver.crt", pki / "ca.crt", *policies],
    )


def controller_manager(settings: Settings, binaries: Path) -> Component:
    own = kubeconfig.path(settings, "controller-manager")
    options = {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
        "secure-port": settings.ports["controller-manager"],
        "service-account-private-key-file": settings.pki / "service-accounts.key",
        "root-ca-file": settings.root_ca,
        "use-service-account-credentials": "true",
        "leader-elect": "false",
        "cluster-cidr": POD_CIDR,
        "service-cluster-ip-range": SERVICE_CIDR,
        # The one node has the whole range; simulated nodes have no pod network.
        "allocate-node-cidrs": "false",
        "cluster-signing-cert-file": settings.pki / "ca.crt",
        "cluster-signing-key-file": settings.pki / "ca.key",
        # The defaults (20 and 30) would make a test of scale measure this limit.
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        **{
            f"concurrent-{kind}-syncs": 20
            for kind in ("deployment", "replicaset", "statefulset", "endpoint", "service-endpoint")
        },
        "profiling": "false",
    }
    inputs = [own, settings.root_ca]
    return _component(settings, binaries, "kube-controller-manager", options, inputs)


def scheduler(settings: Settings, binaries: Path) -> Component:
    own = kubeconfig.path(settings, "scheduler")
    options = {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": "127.0.0.1",
        "secure-port": settings.ports["scheduler"],
        "leader-elect": "false",
        "kube-api-qps": 1000,
        "kube-api-burst": 2000,
        "profiling": "false",
    }
    return _component(settings, binaries, "kube-scheduler", options, [own])


# A collection of garbage for each doubling costs a tenth of all CPU, and memory is what the machine has enough of.
_ENVIRONMENT = {"GOGC": "400"}


def _component(
    settings: Settings, binaries: Path, program: str, options: dict[str, object], inputs: list[Path]
) -> Component:
    arguments = [f"--{option}={value}" for option, value in options.items()]
    command = [*network.enter(settings), str(binaries / program), *arguments]
    return Component(program, command, _ENVIRONMENT, inputs=inputs)
