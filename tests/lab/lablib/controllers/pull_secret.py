# SPDX-License-Identifier: MIT
"""The pull secret for the cluster's own registry that OpenShift gives to each ServiceAccount, a moment after it was made.

It is there because it changes an object that somebody else applied, and leaves Secrets in their namespace.
"""

from __future__ import annotations

import base64
import random

from lablib.controllers.api import Api, ApiError, Object, path, path_of
from lablib.controllers.mirror import Key, Mirror

REFERENCE = "openshift.io/internal-registry-pull-secret-ref"


def name_for(account: Object) -> str:
    """The Secret's name: the same however often it is asked."""
    metadata = account["metadata"]
    return f"{metadata['name']}-dockercfg-{metadata['uid'][:5]}"


def secret(account: Object) -> Object:
    """The Secret; it goes with its ServiceAccount. The lab has no registry, so there is nothing in it."""
    metadata = account["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockercfg",
        "metadata": {
            "name": name_for(account),
            "namespace": metadata["namespace"],
            "annotations": {
                "openshift.io/internal-registry-auth-token.service-account": metadata["name"]
            },
            "ownerReferences": [
                {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "name": metadata["name"],
                    "uid": metadata["uid"],
                    "controller": True,
                }
            ],
        },
        "data": {".dockercfg": base64.b64encode(b"{}").decode()},
    }


def change(account: Object) -> Object | None:
    """The merge patch that makes the ServiceAccount refer to its Secret; None when it does."""
    name = name_for(account)
    metadata = account["metadata"]
    wanted: Object = {}
    for field in ("imagePullSecrets", "secrets"):
        present = account.get(field) or []
        if not any(item.get("name") == name for item in present):
            wanted[field] = [*present, {"name": name}]
    if (metadata.get("annotations") or {}).get(REFERENCE) != name:
        wanted["metadata"] = {"annotations": {REFERENCE: name}}
    if not wanted:
        return None
    wanted.setdefault("metadata", {})["resourceVersion"] = metadata["resourceVersion"]
    return wanted


class PullSecrets:
    """Gives every ServiceAccount its pull secret."""

    kinds = ("ServiceAccount",)

    def __init__(self, api: Api, accounts: Mirror) -> None:
        self._api = api
        self._accounts = accounts

    def due(self, kind: str, key: Key) -> tuple[Key, float]:
        return key, random.uniform(0.3, 0.8)

    def reconcile(self, kind: str, key: Key) -> None:
        account = self._accounts.get(key)
        # The control plane's own accounts run no pods here.
        if (
            account is None
            or account["metadata"].get("deletionTimestamp")
            or key[0].startswith("kube-")
        ):
            return
        patch = change(account)
        if patch is None:
            return
        try:
            self._api.create(path("Secret", key[0]), secret(account))
        except ApiError as error:
            if error.status == 404 or "is being terminated" in str(error):
                return  # the namespace is going
            if error.status != 409:
                raise
        self._api.patch(path_of("ServiceAccount", account), patch)
