# SPDX-License-Identifier: MIT
"""storage_class_info against a real API server, with storage classes of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client

from .conftest import RunModule

PATH = "/apis/storage.k8s.io/v1/storageclasses"
NOBODY = {"impersonate_user": "nobody", "impersonate_groups": ["system:authenticated"]}


@pytest.fixture
def storage_class(client: Client) -> Iterator[Callable[..., str]]:
    """Makes storage classes that are gone after the test."""
    made: list[str] = []

    def make(provisioner: str, **fields: Any) -> str:
        name = f"test-{uuid.uuid4().hex[:10]}"
        made.append(name)
        body = {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {"name": name},
            "provisioner": provisioner,
            **fields,
        }
        client.apply(f"{PATH}/{name}", body, field_manager="tests")
        return name

    yield make
    client.each(lambda name: client.delete(f"{PATH}/{name}"), made)


def test_a_class_asked_for_by_name(
    run_module: RunModule, storage_class: Callable[..., str]
) -> None:
    name = storage_class(
        "csi.example.com",
        reclaimPolicy="Retain",
        allowVolumeExpansion=True,
        volumeBindingMode="WaitForFirstConsumer",
    )
    result = run_module("storage_class_info", {"name": name})
    assert result["storage_class"] == {
        "name": name,
        "provisioner": "csi.example.com",
        "volume_binding_mode": "WaitForFirstConsumer",
        "allow_volume_expansion": True,
        "reclaim_policy": "Retain",
        "reason": "asked for by name",
        "verified": True,
    }
    assert not result["changed"] and result["notes"] == []


def test_a_class_that_is_not_there(
    run_module: RunModule, storage_class: Callable[..., str]
) -> None:
    there = storage_class("csi.example.com")
    result = run_module("storage_class_info", {"name": "no-such-class"})
    assert result["failed"]
    assert "There is no storage class 'no-such-class'" in result["msg"]
    assert f"{there} (csi.example.com)" in result["msg"]


def test_a_class_that_makes_no_volumes(
    run_module: RunModule, storage_class: Callable[..., str]
) -> None:
    name = storage_class("kubernetes.io/no-provisioner")
    result = run_module("storage_class_info", {"name": name})
    assert result["failed"] and "makes no volumes" in result["msg"]


def test_the_clusters_default_is_chosen(run_module: RunModule, client: Client) -> None:
    key = "storageclass.kubernetes.io/is-default-class"
    defaults = {
        item["metadata"]["name"]
        for item in client.list(PATH)
        if (item["metadata"].get("annotations") or {}).get(key) == "true"
    }
    result = run_module("storage_class_info", {})
    if defaults:
        assert result["storage_class"]["name"] in defaults
        assert "default storage class" in result["storage_class"]["reason"]
    else:
        assert result.get("failed") or "no default" in result["storage_class"]["reason"]


def test_without_permission_a_named_class_is_taken_on_trust(
    run_module: RunModule, storage_class: Callable[..., str]
) -> None:
    name = storage_class("csi.example.com")
    result = run_module("storage_class_info", {"name": name, **NOBODY})
    if result["storage_class"]["verified"]:
        pytest.skip("everybody may read storage classes on this cluster")
    assert result["storage_class"]["name"] == name
    assert "without a check" in result["notes"][0]
    result = run_module("storage_class_info", NOBODY)
    assert result["failed"] and "set the storage class by name" in result["msg"]
