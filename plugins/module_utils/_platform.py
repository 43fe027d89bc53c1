# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster this is: platform, apps domain, versions, and whether it has Routes.

Internal to rhpds.litemaas: no stable interface for other collections.

On OpenShift the answers stand in singletons of ``config.openshift.io/v1``. On plain Kubernetes
these do not exist (404), and a user without cluster rights may not read them (403). Neither is an
error: what could not be read is left empty and said in a note. RBAC also answers 403 for groups a
cluster does not have, so discovery (``/apis``, open to every user) says which of the two it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

# The values of Infrastructure's status.platformStatus.type.
PLATFORMS = (
    "AWS",
    "AlibabaCloud",
    "Azure",
    "BareMetal",
    "EquinixMetal",
    "External",
    "GCP",
    "IBMCloud",
    "KubeVirt",
    "Libvirt",
    "None",
    "Nutanix",
    "OpenStack",
    "PowerVS",
    "VSphere",
    "oVirt",
)
# What AgnosticD calls its cloud providers, where that is not the platform's own name.
ALIASES = {"ec2": "AWS", "openshift_cnv": "KubeVirt", "cnv": "KubeVirt", "osp": "OpenStack"}

_CONFIG = "/apis/config.openshift.io/v1"
PATHS = {
    "version": "/version",
    "groups": "/apis",
    "infrastructure": f"{_CONFIG}/infrastructures/cluster",
    "ingress": f"{_CONFIG}/ingresses/cluster",
    "release": f"{_CONFIG}/clusterversions/version",
    # Readable by everyone who is logged in, and its URL begins with the console's well-known host.
    "console": "/api/v1/namespaces/openshift-config-managed/configmaps/console-public",
}
_CONSOLE_HOST = "console-openshift-console."


@dataclass(frozen=True)
class Answer:
    """What one of PATHS gave: the object; nothing (404); or a refusal and its HTTP status."""

    found: Mapping[str, Any] = field(default_factory=dict)
    refused: int = 0


@dataclass(frozen=True)
class Cluster:
    """What is known of a cluster; text is empty where it is not known."""

    openshift: bool
    platform: str
    cloud_provider: str
    apps_domain: str
    kubernetes_version: str
    openshift_version: str
    routes: bool
    api_url: str
    notes: tuple[str, ...]


def canonical(name: str) -> str:
    """Return a platform as OpenShift writes it: "vsphere" → "VSphere"; unknown names as given."""
    known = {platform.lower(): platform for platform in PLATFORMS} | ALIASES
    return known.get(name.strip().lower(), name.strip())


def read(client: Client, *, cloud_provider: str = "") -> Cluster:
    """Ask the API server (two requests on plain Kubernetes, five or six on OpenShift).

    Raises ApiError only when the API cannot be reached or does not accept the credentials.
    """
    answers = _ask(client, ("version", "groups"))
    if has_group(answers["groups"], "config.openshift.io") is not False:
        answers |= _ask(client, ("infrastructure", "ingress", "release"))
        if answers["ingress"].refused:
            answers |= _ask(client, ("console",))
    return describe(answers, address=client.connection.host, cloud_provider=cloud_provider)


def _ask(client: Client, names: tuple[str, ...]) -> dict[str, Answer]:
    def one(name: str) -> Answer:
        try:
            return Answer(client.get(PATHS[name]))
        except ApiError as error:
            if error.status not in (403, 404):
                raise
            return Answer(refused=403 if error.status == 403 else 0)

    answers = client.each(one, names)
    for answer in answers:
        if isinstance(answer, ApiError):
            raise answer
    return dict(zip(names, answers, strict=True))


def describe(
    answers: Mapping[str, Answer], *, address: str = "", cloud_provider: str = ""
) -> Cluster:
    """Read the answers to PATHS, of which any may be missing, empty or refused.

    ``address``: of the API server as this process reaches it. ``cloud_provider``: the user's word,
    which counts more than what the cluster says.
    """

    def found(name: str, *path: str) -> Any:
        return _dig(answers.get(name, Answer()).found, *path)

    def refused(name: str) -> bool:
        return bool(answers.get(name, Answer()).refused)

    notes: list[str] = []
    groups = answers.get("groups", Answer())
    config_group = has_group(groups, "config.openshift.io")
    openshift = bool(config_group) or (config_group is None and not _absent(answers))
    if refused("version"):
        notes.append("Kubernetes version unknown: not allowed (403) to read /version.")
    if config_group is None:
        notes.append(
            "Whether the cluster has Routes is unknown, none are assumed: not allowed (403) to "
            "list its API groups at /apis."
        )
    platform = found("infrastructure", "status", "platformStatus", "type")
    platform = canonical(platform or found("infrastructure", "status", "platform") or "")
    if openshift and not platform and not cloud_provider:
        notes.append(
            f"Platform unknown: {_why(answers, 'infrastructure')} "
            "infrastructures.config.openshift.io/cluster. Set cloud_provider if it matters."
        )
    domain = found("ingress", "spec", "appsDomain") or found("ingress", "spec", "domain") or ""
    if openshift and not domain:
        domain = _console_domain(found("console", "data", "consoleURL"))
        why = f"{_why(answers, 'ingress')} ingresses.config.openshift.io/cluster"
        if domain:
            notes.append(
                f"Apps domain {domain} taken from the web console's address: {why}. If the cluster "
                "has an appsDomain of its own, give it as the ingress domain."
            )
        else:
            notes.append(f"Apps domain unknown: {why}. Give the ingress domain.")
    if openshift and refused("release"):
        notes.append(
            "OpenShift version unknown: not allowed (403) to read "
            "clusterversions.config.openshift.io/version."
        )
    return Cluster(
        openshift=openshift,
        platform=platform,
        cloud_provider=canonical(cloud_provider) or platform,
        apps_domain=domain.strip().strip("."),
        kubernetes_version=found("version", "gitVersion") or "",
        openshift_version=_release(answers.get("release", Answer()).found),
        routes=bool(has_group(groups, "route.openshift.io")),
        api_url=found("infrastructure", "status", "apiServerURL") or address,
        notes=tuple(notes),
    )


def has_group(groups: Answer, name: str) -> bool | None:
    """Whether the APIGroupList has the group; None when it may not be read."""
    if groups.refused:
        return None
    return any(group.get("name") == name for group in groups.found.get("groups") or ())


def _absent(answers: Mapping[str, Answer]) -> bool:
    """Whether none of the OpenShift objects was found: without discovery, plain Kubernetes."""
    names = ("infrastructure", "ingress", "release")
    return not any(answers.get(name, Answer()).found for name in names)


def _why(answers: Mapping[str, Answer], name: str) -> str:
    answer = answers.get(name, Answer())
    if answer.refused:
        return "not allowed (403) to read"
    return "nothing about it in" if answer.found else "there is no"


def _console_domain(url: Any) -> str:
    """The domain in https://console-openshift-console.apps.example.com, "" for another host."""
    host = urlsplit(url).hostname if isinstance(url, str) else None
    return host.removeprefix(_CONSOLE_HOST) if host and host.startswith(_CONSOLE_HOST) else ""


def _release(version: Mapping[str, Any]) -> str:
    """The version last installed completely; while the first installation runs, the one wanted."""
    for entry in _dig(version, "status", "history") or ():
        if entry.get("state") == "Completed":
            return entry.get("version") or ""
    return _dig(version, "status", "desired", "version") or ""


def _dig(value: Any, *path: str) -> Any:
    """The value at a path of keys, or None when any of them is missing."""
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
