# SPDX-License-Identifier: MIT
"""The choice of a storage class: order, refusals, and the reason in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _storage_class
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError

CASES = yaml.safe_load((Path(__file__).parent / "fixtures" / "storage_class.yml").read_text())


def api_object(name: str, provisioner: str, **parts: Any) -> dict[str, Any]:
    """A StorageClass as the API server returns it."""
    default = parts.get("default")
    annotations = {}
    if default == "beta":
        annotations["storageclass.beta.kubernetes.io/is-default-class"] = "true"
    elif default is not None:
        annotations["storageclass.kubernetes.io/is-default-class"] = str(default).lower()
    if parts.get("virtualization"):
        annotations["storageclass.kubevirt.io/is-default-virt-class"] = "true"
    metadata = {"name": name, "creationTimestamp": parts.get("created", "2026-01-01T00:00:00Z")}
    if annotations:
        metadata["annotations"] = annotations
    return {"metadata": metadata, "provisioner": provisioner, **parts.get("fields", {})}


@pytest.mark.parametrize("case", CASES, ids=[case["case"] for case in CASES])
def test_select(case: dict[str, Any]) -> None:
    classes = [
        _storage_class.parse(api_object(name, **parts)) for name, parts in case["classes"].items()
    ]
    arguments = (case.get("name", ""), case.get("platform", ""))
    # The API's order must not matter.
    for order in (classes, classes[::-1]):
        if "error" in case:
            with pytest.raises(LitemaasError) as raised:
                _storage_class.select(order, *arguments)
            for words in case["error"]:
                assert words in str(raised.value)
        else:
            choice = _storage_class.select(order, *arguments)
            assert choice.storage_class.name == case["choice"]
            for words in case.get("words", ()):
                assert words in choice.reason


def test_parse_fills_in_what_the_api_leaves_out() -> None:
    found = _storage_class.parse({"metadata": {"name": "bare"}, "provisioner": "x"})
    assert (found.volume_binding_mode, found.reclaim_policy) == ("Immediate", "Delete")
    assert (found.allow_volume_expansion, found.default) == (False, False)
    fields = {
        "volumeBindingMode": "WaitForFirstConsumer",
        "reclaimPolicy": "Retain",
        "allowVolumeExpansion": True,
    }
    found = _storage_class.parse(api_object("full", "x", fields=fields))
    assert (found.volume_binding_mode, found.reclaim_policy) == ("WaitForFirstConsumer", "Retain")
    assert found.allow_volume_expansion


class Forbidden:
    """A client that may not list storage classes, and perhaps not read one either."""

    def __init__(self, found: Any) -> None:
        self._found = found

    def list(self, _path: str) -> list[dict[str, Any]]:
        raise ApiError("Not allowed (403)", status=403)

    def find(self, _path: str) -> Any:
        if isinstance(self._found, Exception):
            raise self._found
        return self._found


def test_without_permission_a_named_class_is_taken_on_trust() -> None:
    client = Forbidden(ApiError("Not allowed (403)", status=403))
    choice, classes, notes = _storage_class.read(client, "gp3-csi")  # type: ignore[arg-type]
    assert (choice.storage_class.name, choice.verified, classes) == ("gp3-csi", False, [])
    assert "without a check" in notes[0]


def test_without_permission_to_list_one_may_be_readable() -> None:
    client = Forbidden(api_object("gp3-csi", "ebs.csi.aws.com"))
    choice, classes, notes = _storage_class.read(client, "gp3-csi")  # type: ignore[arg-type]
    assert choice.verified and choice.storage_class.provisioner == "ebs.csi.aws.com"
    assert len(classes) == len(notes) == 1
    with pytest.raises(LitemaasError, match="no storage class 'gp3-csi'"):
        _storage_class.read(Forbidden(None), "gp3-csi")  # type: ignore[arg-type]


def test_without_permission_and_name_the_message_says_what_to_do() -> None:
    with pytest.raises(LitemaasError, match="set the storage class by name"):
        _storage_class.read(Forbidden(None))  # type: ignore[arg-type]
