# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All instances that a cluster holds, and how each of them is.

Internal to rhpds.litemaas: no stable interface for other collections.

Nothing has to be known of how they were deployed: their objects say it by their labels. A look is
one LIST per kind, whatever the number of instances; they are judged as by a wait that is over at
once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _image,
    _labels,
    _observation,
    _progress,
    _resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._observation import (
    Observation,
    Observer,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._readiness import Wait
from ansible_collections.rhpds.litemaas.plugins.module_utils._track import Standing
from ansible_collections.rhpds.litemaas.plugins.module_utils._verdict_instance import (
    EXPOSURE,
    EXPOSURE_NAME,
    FRONTEND,
)

_BESIDE = (
    _observation.ROUTES,
    _observation.INGRESSES,
    _observation.JOBS,
    _observation.POD,
)
_GATEWAY = "litellm"  # its Deployment, and the container in it


def read(
    client: Client,
    *,
    namespaces: Iterable[str] = (),
    deployment: str = "",
    gateway: bool = True,
    authorities: str = "",
) -> list[dict[str, Any]]:
    """Return every instance, by deployment and name, as the module instance_info documents it.

    *namespaces*: look only there; needed where the cluster may not be listed. *deployment*: only
    its instances. *gateway*: ask each gateway once. *authorities*: PEM of those who are trusted too.
    Raises LitemaasError where nothing can be seen.
    """
    places = set(namespaces)
    labels = _labels.deployment_labels(deployment) if deployment else dict([_labels.MANAGED_BY])
    selector = _labels.selector(labels)
    seen = Observation()
    observer = Observer(client, places or None, selector)
    try:
        observer.observe(_observation.WORKLOADS, seen)
    except ApiError as error:
        if error.status != 403:
            raise
        raise LitemaasError(
            f"{error} To look without permission to list the cluster, name the namespaces."
        ) from error
    observer.observe(_BESIDE, seen, required=False)
    homes = _own_namespaces(client, selector)
    found = instances(seen, {k: o for k, o in homes.items() if not places or k in places})
    if not found:
        return []
    wait = Wait(client, found, gateway=gateway, authorities=authorities, seen=seen)
    wait.run(0, 0)
    now = datetime.now(UTC)
    return [_row(standing, seen, now) for standing in wait.standings]


def instances(
    seen: Observation, namespaces: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """The instances that the objects belong to, in the form of the plan. Pure.

    *namespaces*: the ones that are ours. One whose workloads are gone still says whose it was.
    A namespace that may not be read counts as an instance of that name.
    """
    found = []
    for home in {*seen.namespaces, *namespaces, *seen.unreadable}:
        objects = [obj for kind in ("Deployment", "StatefulSet") for obj in seen.of(home, kind)]
        if home in namespaces:
            objects.append(namespaces[home])
        labels = next(filter(_is_instance, map(_labels.of, objects)), None)
        if labels is None and home not in seen.unreadable:
            continue  # ours, and of no instance
        labels = labels or dict([_labels.MANAGED_BY])
        expose, host = _exposure(home, seen)
        inside = f"http://{_GATEWAY}.{home}.svc:4000" if expose == "none" else ""
        found.append(
            {
                "name": labels.get(_labels.INSTANCE, home),
                "namespace": home,
                "labels": {
                    key: labels[key]
                    for key in (_labels.MANAGED_BY[0], _labels.DEPLOYMENT, _labels.INSTANCE)
                    if key in labels
                },
                "expose": expose,
                "host": host,
                "url": f"https://{host}" if host else inside,
                "external_database": "external_database" in _secrets(home, seen),
                "frontend": _frontend(home, seen),
            }
        )
    return sorted(found, key=_place)


def _own_namespaces(client: Client, selector: str) -> dict[str, Mapping[str, Any]]:
    path = _resources.collection_path("v1", "Namespace")
    try:
        found = client.list(path, label_selector=selector, metadata=True)
    except ApiError as error:
        if error.status == 403:
            return {}
        raise
    return {obj["metadata"]["name"]: obj for obj in found}


def _is_instance(labels: Mapping[str, str]) -> bool:
    return _labels.INSTANCE in labels and _labels.DEPLOYMENT in labels


def _exposure(home: str, seen: Observation) -> tuple[str, str]:
    """(expose, host) as the plan has them: by what there is, else by what there should be."""
    for expose, kind in EXPOSURE.items():
        if any(obj["metadata"]["name"] == EXPOSURE_NAME for obj in seen.of(home, kind)):
            return expose, _host(home, EXPOSURE_NAME, seen)
    annotations = (_gateway(home, seen).get("metadata") or {}).get("annotations") or {}
    expose = annotations.get(_labels.EXPOSE, "")
    return (expose if expose in EXPOSURE else "none"), ""


def _secrets(home: str, seen: Observation) -> list[str]:
    """The parts of which an instance has but a Secret."""
    metadata = _gateway(home, seen).get("metadata") or {}
    return (metadata.get("annotations") or {}).get(_labels.SECRETS, "").split()


def _frontend(home: str, seen: Observation) -> dict[str, str] | None:
    """The frontend of the LiteMaaS application by what there is; None where there is none."""
    host = _host(home, FRONTEND, seen)
    if host or any(o["metadata"]["name"] == FRONTEND for o in seen.of(home, "Deployment")):
        return {"host": host, "url": f"https://{host}" if host else ""}
    return None


def _host(home: str, name: str, seen: Observation) -> str:
    """The host of the Route or Ingress of this name; empty where there is none."""
    for kind in EXPOSURE.values():
        for obj in seen.of(home, kind):
            if obj["metadata"]["name"] == name:
                spec = obj.get("spec") or {}
                return str(spec.get("host") or (spec.get("rules") or [{}])[0].get("host") or "")
    return ""


def _gateway(home: str, seen: Observation) -> Mapping[str, Any]:
    """The gateway's Deployment, or nothing."""
    for obj in seen.of(home, "Deployment"):
        if obj["metadata"]["name"] == _GATEWAY:
            return obj
    return {}


def _row(standing: Standing, seen: Observation, now: datetime) -> dict[str, Any]:
    home = standing.instance["namespace"]
    gateway = _gateway(home, seen)
    metadata = gateway.get("metadata") or {}
    created = metadata.get("creationTimestamp") or ""
    row = _progress.result(standing, 0)
    del row["waited"]
    return {
        **row,
        "deployment": standing.instance["labels"].get(_labels.DEPLOYMENT, ""),
        "models": row["models"] if standing.track.answered else None,
        "version": _version(gateway),
        "litemaas_version": (metadata.get("annotations") or {}).get(_labels.VERSION, ""),
        "created": created,
        "age": age(created, now),
        "restarts": _restarts(home, seen),
    }


def age(created: str, now: datetime) -> int | None:
    """Seconds since an RFC 3339 time; None without one. Clocks may differ: never below zero."""
    if not created:
        return None
    return max(0, int((now - datetime.fromisoformat(created)).total_seconds()))


def _version(gateway: Mapping[str, Any]) -> str:
    """The tag of the gateway's image, or the beginning of its digest."""
    template = (gateway.get("spec") or {}).get("template") or {}
    for container in (template.get("spec") or {}).get("containers") or ():
        if container["name"] == _GATEWAY:
            try:
                image = _image.parse(container["image"])
            except ValueError:
                return ""
            return image.tag or image.digest[:19]
    return ""


def _restarts(home: str, seen: Observation) -> int | None:
    """Of all containers of the pods that are there; None where pods may not be read."""
    pods = seen.of(home, "Pod")
    if not pods and "Pod" not in seen.complete:
        return None
    return sum(
        status.get("restartCount", 0)
        for pod in pods
        for kind in ("initContainerStatuses", "containerStatuses")
        for status in (pod.get("status") or {}).get(kind) or ()
    )


def _place(instance: Mapping[str, Any]) -> tuple[Any, ...]:
    """user2 before user10."""
    parts = re.split(r"(\d+)", instance["name"])
    number = [(int(part), "") if part.isdigit() else (-1, part) for part in parts]
    return instance["labels"].get(_labels.DEPLOYMENT, ""), number, instance["namespace"]
