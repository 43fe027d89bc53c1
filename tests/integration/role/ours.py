# SPDX-License-Identifier: MIT
"""What this collection made in a namespace, as the API server has it."""

from __future__ import annotations

from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client


def names(client: Client, namespace: str, group: str, kind: str) -> set[str]:
    """The objects of a kind that bear this collection's label. *group*: ``/apis/apps/v1``; *kind*: ``deployments``."""
    path = f"{group}/namespaces/{namespace}/{kind}"
    ours = "app.kubernetes.io/managed-by=rhpds.litemaas"
    return {obj["metadata"]["name"] for obj in client.list(path, label_selector=ours)}
