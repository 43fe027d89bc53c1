# SPDX-License-Identifier: MIT
"""A namespace that was there before is used when asked for, and stays what it was."""

from __future__ import annotations

KINDS = {
    "/apis/apps/v1": ("deployments", "statefulsets"),
    "/api/v1": ("services", "persistentvolumeclaims"),
    "/apis/networking.k8s.io/v1": ("networkpolicies",),
    "/apis/route.openshift.io/v1": ("routes",),
}
OURS = "app.kubernetes.io/managed-by=rhpds.litemaas"


def test_an_existing_namespace_is_used_and_left_as_it_was(play, client, gateway, namespace):
    where = {"namespace": namespace, "use_existing_namespace": True, "route_name": namespace}
    path = f"/api/v1/namespaces/{namespace}"
    before = client.get(path)["metadata"]["labels"]

    data = play(**where).ok().user_data()

    assert gateway(data).answers()
    assert client.get(path)["metadata"]["labels"] == before

    removed = play(**where, remove=True).ok()
    assert removed.recap["changed"] == 1
    assert client.get(path)["metadata"]["labels"] == before
    for group, plurals in KINDS.items():
        for plural in plurals:
            assert (
                client.list(f"{group}/namespaces/{namespace}/{plural}", label_selector=OURS) == []
            )
    assert client.find(f"{path}/secrets/litellm-secret") is None
    assert play(**where, remove=True).ok().recap["changed"] == 0
