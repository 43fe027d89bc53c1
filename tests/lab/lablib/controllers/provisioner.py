# SPDX-License-Identifier: MIT
"""Dynamic provisioning: makes, expands and deletes the volumes that claims ask for."""

from __future__ import annotations

import datetime
import logging
import shutil
from pathlib import Path

from lablib.controllers.api import Api, ApiError, Object, path, path_of
from lablib.controllers.mirror import Key, Mirror
from lablib.controllers.volume import (
    DRIVERS,
    FAILS,
    FOLDER,
    HOSTNAME,
    PROVISIONED_BY,
    SELECTED_NODE,
    Unprovisionable,
    asked_of,
    grown,
    is_simulated,
    local,
    make_folder,
    node_for,
    nowhere,
    to_delete,
    volume,
    volume_name,
)

log = logging.getLogger("provisioner")


class Provisioner:
    """Serves the provisioners named in DRIVERS."""

    kinds = ("PersistentVolumeClaim", "PersistentVolume")

    def __init__(self, api: Api, claims: Mirror, volumes: Mirror, root: Path) -> None:
        self._api = api
        self._claims = claims
        self._volumes = volumes
        self._root = root

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return key, 0.0

    def reconcile(self, kind: str, key: Key) -> None:
        if kind == "PersistentVolume":
            item = self._volumes.get(key)
            if item is not None and to_delete(item):
                self._delete(item)
            return
        claim = self._claims.get(key)
        if claim is None:
            return
        provisioner = asked_of(claim)
        if provisioner in DRIVERS:
            self._provision(claim)
        elif claim["spec"].get("volumeName"):
            self._expand(claim)

    def sweep(self) -> None:
        """Remove the folders that nothing refers to, left by a killed process or an earlier cluster.

        Call when the copies are complete.
        """
        # The folders first: a claim is in the copy before it gets its folder.
        folders = [folder for folder in self._root.glob("pvc-*") if FOLDER.fullmatch(folder.name)]
        known = {item["metadata"]["name"] for item in self._volumes.items()}
        known |= {volume_name(claim) for claim in self._claims.items()}
        for folder in folders:
            if folder.name not in known:
                log.info("removing the left-over folder %s", folder.name)
                shutil.rmtree(folder)

    def _provision(self, claim: Object) -> None:
        storage_class = self._api.get(path("StorageClass", name=claim["spec"]["storageClassName"]))
        name = volume_name(claim)
        folder, driver = self._root / name, storage_class["provisioner"]
        node = self._node(claim, storage_class)
        simulated = is_simulated(node)
        hostname = node["metadata"]["labels"].get(HOSTNAME, node["metadata"]["name"])
        source = nowhere(driver, name) if simulated else local(folder, hostname)
        try:
            if FAILS in (claim["metadata"].get("labels") or {}):
                raise Unprovisionable("failed to provision volume: a test wants it so")
            item = volume(claim, storage_class, source)
        except Unprovisionable as error:
            self._report(claim, "ProvisioningFailed", str(error))
            return
        if not simulated:
            make_folder(folder, DRIVERS[driver])
        try:
            self._api.create(path("PersistentVolume"), item)
        except ApiError as error:
            if error.status != 409:
                raise
        else:
            log.info(
                "%s for %s/%s", name, claim["metadata"]["namespace"], claim["metadata"]["name"]
            )

    def _node(self, claim: Object, storage_class: Object) -> Object:
        """The node that the scheduler chose for the claim's pod, or any ready one."""
        if storage_class.get("volumeBindingMode") == "WaitForFirstConsumer":
            name = (claim["metadata"].get("annotations") or {}).get(SELECTED_NODE)
            if not name:
                raise ApiError(0, "no node was selected yet")
            return self._api.get(path("Node", name=name))
        node = node_for(self._api.get(path("Node"))["items"])
        if node is None:
            raise ApiError(0, "no node is ready")
        return node

    def _expand(self, claim: Object) -> None:
        item = self._volumes.get(("", claim["spec"]["volumeName"]))
        if (
            item is None
            or (item["metadata"].get("annotations") or {}).get(PROVISIONED_BY) not in DRIVERS
        ):
            return
        capacity = grown(claim, item)
        if capacity:
            self._api.patch(
                path_of("PersistentVolume", item), {"spec": {"capacity": {"storage": capacity}}}
            )
            status = {"capacity": {"storage": capacity}, "conditions": None}
            self._api.patch(path_of("PersistentVolumeClaim", claim, "status"), {"status": status})

    def _delete(self, item: Object) -> None:
        name = item["metadata"]["name"]
        folder = self._root / name
        # Never anything but the folder that this name was given.
        if (
            FOLDER.fullmatch(name)
            and item["spec"].get("local", {}).get("path") == str(folder)
            and folder.exists()
        ):
            shutil.rmtree(folder)
        self._api.delete(path_of("PersistentVolume", item))
        log.info("%s deleted", name)

    def _report(self, claim: Object, reason: str, message: str) -> None:
        """A warning in the claim's events; the same one only once."""
        metadata = claim["metadata"]
        now = datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            "metadata": {
                "name": f"{metadata['name']}.{metadata['uid'][:8]}",
                "namespace": metadata["namespace"],
            },
            "involvedObject": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{field: metadata[field] for field in ("name", "namespace", "uid")},
            },
            "type": "Warning",
            "reason": reason,
            "message": message,
            "source": {"component": "lab-controllers"},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        try:
            self._api.create(path("Event", metadata["namespace"]), event)
        except ApiError as error:
            if error.status not in (
                403,
                404,
                409,
            ):  # it is there already, or the namespace is going
                raise
