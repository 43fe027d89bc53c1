# SPDX-License-Identifier: MIT
"""OpenShift's side of a cluster, as far as an installer meets it: API types, configuration objects, admission rules.

`install` makes the objects; what OpenShift's controllers do is the process `lablib.controllers`. In the profile
`kubernetes` only a storage class and an ingress class are made, as a kind cluster has them.
"""

from __future__ import annotations

import json
import string
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml
from lablib.errors import LabError
from lablib.settings import Settings

Kubectl = Callable[[list[str], str | None], str]
Manifest = dict[str, Any]

CRDS = (
    "authentications.config.openshift.io",
    "clusterversions.config.openshift.io",
    "infrastructures.config.openshift.io",
    "ingresses.config.openshift.io",
    "oauths.config.openshift.io",
    "routes.route.openshift.io",
)
MANIFESTS = Path(__file__).resolve().parent.parent / "manifests"
# In this order: namespaces and types before what lives in them, rules before anybody could break them.
FILES = {
    "openshift": (
        "namespaces.yaml",
        "config.yaml",
        "access.yaml",
        "storage-classes.yaml",
        "restricted-v2.yaml",
        "route-rules.yaml",
    ),
    "kubernetes": ("storage-class.yaml", "ingress-class.yaml"),
}
FIELD_MANAGER = "lab"


def install(kubectl: Kubectl, crd_dir: Path, settings: Settings, profile: str) -> None:
    """Make what the profile asks for; may be repeated at any time.

    `kubectl(arguments, stdin)` returns the command's output and raises LabError when it fails; `crd_dir` holds the files of
    the Go module github.com/openshift/api.
    """
    objects = [
        manifest for name in FILES[profile] for manifest in manifests(profile, name, settings)
    ]
    if profile == "openshift":
        # kubectl's own validation does not know `enum: [null]`, which the Route's schema has; the API server does.
        _apply(kubectl, crds(crd_dir), ["--validate=false"])
        names = [f"crd/{name}" for name in CRDS]
        kubectl(["wait", "--for=condition=Established", "--timeout=60s", *names], None)
        objects.append(ingress_certificate(settings))
    _apply(kubectl, objects)
    # A status is not part of what was sent: the API server takes it by itself only.
    _apply(kubectl, [item for item in objects if "status" in item], ["--subresource=status"])
    if profile == "openshift":
        _await_rules(kubectl)


def manifests(profile: str, name: str, settings: Settings) -> list[Manifest]:
    """The objects of one file, the lab's values filled in."""
    text = (MANIFESTS / profile / name).read_text()
    if name == "config.yaml":
        values = {"apps_domain": settings.apps_domain, "api_url": settings.api_url}
        text = string.Template(text).substitute(values)
    return [manifest for manifest in yaml.safe_load_all(text) if manifest]


def ingress_certificate(settings: Settings) -> Manifest:
    """The ConfigMap by which a cluster tells its clients which CA signed the routers' certificate."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "default-ingress-cert", "namespace": "openshift-config-managed"},
        "data": {"ca-bundle.crt": settings.router_ca.read_text()},
    }


def crds(crd_dir: Path) -> list[Manifest]:
    """The custom resource definitions named in CRDS, as a self-managed cluster of the feature set Default has them."""
    groups = sorted({name.split(".")[1] for name in CRDS})
    plurals = {name.split(".")[0] for name in CRDS}
    files = [
        path
        for group in groups
        for path in sorted((crd_dir / group / "v1" / "zz_generated.crd-manifests").glob("*.yaml"))
        if any(plural in path.name for plural in plurals)
    ]
    found = choose(yaml.load(path.read_text(), _Loader) for path in files)
    missing = [name for name in CRDS if name not in found]
    if missing:
        raise LabError(
            f"{crd_dir}: no CRD {', '.join(missing)}; it must hold the files of github.com/openshift/api"
        )
    return [without_host_pattern(found[name]) for name in CRDS]


def choose(definitions: Iterable[Manifest]) -> dict[str, Manifest]:
    """name → definition, of the several that the module holds for one name: one per feature set and kind of cluster."""
    chosen = {}
    for definition in definitions:
        annotations = definition["metadata"].get("annotations", {})
        self_managed = annotations.get(
            "include.release.openshift.io/self-managed-high-availability"
        )
        feature_set = annotations.get("release.openshift.io/feature-set", "Default")
        if self_managed == "true" and "Default" in feature_set.split(","):
            chosen[definition["metadata"]["name"]] = definition
    return chosen


def without_host_pattern(definition: Manifest) -> Manifest:
    """A Route's host is checked by our rules in the words of OpenShift's API server, not by the CRD's pattern.

    The pattern's message would quote a regular expression, and it knows nothing of the annotation that lets such a host
    in (so that the router refuses it).
    """
    if definition["metadata"]["name"] == "routes.route.openshift.io":
        for version in definition["spec"]["versions"]:
            properties = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
            properties["host"].pop("pattern", None)
    return definition


def _apply(kubectl: Kubectl, objects: list[Manifest], options: Iterable[str] = ()) -> None:
    """Server-side apply, in this order, in one call."""
    if objects:
        command = [
            "apply",
            "--server-side",
            "--force-conflicts",
            f"--field-manager={FIELD_MANAGER}",
        ]
        document = {"apiVersion": "v1", "kind": "List", "items": objects}
        kubectl([*command, *options, "-f", "-"], json.dumps(document))


def _await_rules(kubectl: Kubectl, seconds: float = 30) -> None:
    """Wait until the admission policies act: the API server takes up new ones a second or two late.

    A route without a host is tried in a dry run. The policies for routes are the last ones made, and each kind of policy
    is taken up as a whole.
    """
    route = {
        "apiVersion": "route.openshift.io/v1",
        "kind": "Route",
        "metadata": {"name": "x" * 64, "namespace": "default"},
        "spec": {"to": {"kind": "Service", "name": "x"}},
    }
    deadline = time.monotonic() + seconds
    answer = ""
    while time.monotonic() < deadline:
        try:
            answer = kubectl(["create", "--dry-run=server", "-f", "-"], json.dumps(route))
        except LabError as error:
            answer = str(error)
            if "must be no more than 63" in answer:  # a host was made for it, and refused
                return
        time.sleep(0.2)
    raise LabError(
        f"the API server does not apply the lab's admission policies after {seconds:.0f} s: {answer}"
    )


try:
    _Loader: Any = yaml.CSafeLoader
except AttributeError:  # PyYAML without libyaml
    _Loader = yaml.SafeLoader
