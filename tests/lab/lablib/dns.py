# SPDX-License-Identifier: MIT
"""CoreDNS as a process beside the control plane: the cluster's names, the routes' names, and nothing else.

It forwards nowhere: a name of the outside world does not exist (NXDOMAIN at once instead of a time-out).
"""

from __future__ import annotations

from pathlib import Path

from lablib import files, kubeconfig, network
from lablib.process import Component
from lablib.settings import APPS_DOMAIN, CLUSTER_DOMAIN, Settings


def corefile(settings: Settings) -> str:
    """Three zones, each on the lab's address; in the namespace also on its loopback address."""
    addresses = f"{settings.address} 127.0.0.1" if settings.netns else settings.address
    port = settings.ports["dns"]
    return f"""\
{CLUSTER_DOMAIN}:{port} in-addr.arpa:{port} {{
    bind {addresses}
    errors
    ready {settings.address}:{settings.ports['dns-ready']}
    kubernetes {CLUSTER_DOMAIN} in-addr.arpa {{
        kubeconfig {kubeconfig.path(settings, 'dns')}
        ttl 5
    }}
}}
{APPS_DOMAIN}:{port} {{
    bind {addresses}
    errors
    template IN A {{
        answer "{{{{ .Name }}}} 5 IN A {settings.router_address}"
    }}
    template ANY ANY {{
        rcode NOERROR
    }}
}}
.:{port} {{
    bind {addresses}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"""


def configure(settings: Settings) -> None:
    files.write(settings.config / "Corefile", corefile(settings))
    files.write(settings.resolv_conf, f"nameserver {settings.address}\n", mode=0o644)


def coredns(settings: Settings, binaries: Path) -> Component:
    config = settings.config / "Corefile"
    command = [*network.enter(settings), str(binaries / "coredns"), "-conf", str(config)]
    return Component("coredns", command, inputs=[config, kubeconfig.path(settings, "dns")])
