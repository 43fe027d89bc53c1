# SPDX-License-Identifier: MIT
"""What a diff shows: our fields, and never a Secret's values."""

from __future__ import annotations

from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _owned

CANARY = "Y2FuYXJ5"


def live(kind: str, fields: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """An object of which our manager applied ``fields`` (fieldsV1)."""
    metadata = parts.pop("metadata", {})
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {
            "name": "x",
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "7",
            **metadata,
            "managedFields": [
                {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:other": {}}},
                {"manager": "rhpds.litemaas", "operation": "Update", "fieldsV1": {"f:status": {}}},
                {"manager": "rhpds.litemaas", "operation": "Apply", "fieldsV1": fields},
            ],
        },
        **parts,
    }


IDENTITY = {"apiVersion": "v1", "metadata": {"name": "x", "namespace": "n"}}


def test_others_fields_are_left_out() -> None:
    obj = live(
        "Pod",
        {
            "f:metadata": {"f:labels": {"f:a": {}}},
            "f:spec": {
                "f:replicas": {},
                "f:args": {},
                "f:empty": {".": {}},
                "f:absent": {},
                "f:set": {'v:"one"': {}},
                "f:containers": {
                    'k:{"name":"c"}': {
                        ".": {},
                        "f:name": {},
                        "f:ports": {
                            'k:{"containerPort":1,"protocol":"TCP"}': {"f:containerPort": {}}
                        },
                    }
                },
            },
        },
        metadata={"labels": {"a": "b", "theirs": "c"}},
        spec={
            "replicas": 2,
            "args": ["a", {"b": "c"}],
            "empty": {"theirs": "x"},
            "set": ["one", "two"],
            "containers": [
                {"name": "proxy"},
                {
                    "name": "c",
                    "image": "theirs",
                    "ports": [{"containerPort": 1, "protocol": "TCP"}, {"containerPort": 2}],
                },
            ],
            "other": True,
        },
        status={"phase": "Running"},
    )
    assert _owned.owned(obj) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "n", "labels": {"a": "b"}},
        "spec": {
            "replicas": 2,
            "args": ["a", {"b": "c"}],
            "empty": {},
            "set": ["one"],
            "containers": [{"name": "c", "ports": [{"containerPort": 1}]}],
        },
    }


def test_what_we_never_applied_shows_only_its_name() -> None:
    obj = live("ConfigMap", {}, data={"a": "b"})
    assert _owned.owned(obj) == {**IDENTITY, "kind": "ConfigMap"}


def test_both_sides() -> None:
    before = live(
        "ConfigMap", {"f:data": {"f:a": {}, "f:b": {}}}, data={"a": "1", "b": "2", "c": "3"}
    )
    after = live("ConfigMap", {"f:data": {"f:a": {}}}, data={"a": "9", "c": "3"})
    old, new = map(yaml.safe_load, _owned.pair(before, after))
    assert old == {**IDENTITY, "kind": "ConfigMap", "data": {"a": "1", "b": "2"}}
    assert new == {**IDENTITY, "kind": "ConfigMap", "data": {"a": "9"}}
    assert _owned.pair(None, after)[0] == ""
    assert _owned.pair(before, None)[1] == ""


def test_a_predicted_object_is_shown_as_it_will_be_sent() -> None:
    wanted = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "x"},
        "data": {"a": "b"},
    }
    assert yaml.safe_load(_owned.pair(None, wanted)[1]) == wanted


def test_our_bookkeeping_is_no_difference() -> None:
    annotations = {_labels.APPLIED_HASH: "abc", "a": "b"}
    fields = {"f:metadata": {"f:annotations": {f"f:{name}": {} for name in annotations}}}
    _unused, shown = _owned.pair(None, live("Pod", fields, metadata={"annotations": annotations}))
    assert yaml.safe_load(shown)["metadata"]["annotations"] == {"a": "b"}
    del annotations["a"]
    _unused, shown = _owned.pair(None, live("Pod", fields, metadata={"annotations": annotations}))
    assert "annotations" not in yaml.safe_load(shown)["metadata"]


def test_a_secrets_values_are_never_shown() -> None:
    fields = {"f:data": {"f:same": {}, "f:changed": {}, "f:new": {}}, "f:type": {}}
    before = live("Secret", fields, data={"same": CANARY, "changed": CANARY}, type="Opaque")
    data = {"same": CANARY, "changed": CANARY + "IQ==", "new": CANARY}
    after = live("Secret", fields, data=data, type="Opaque")
    old, new = _owned.pair(before, after)
    assert CANARY not in old + new
    assert yaml.safe_load(old)["data"] == {"same": "(hidden)", "changed": "(hidden)"}
    assert yaml.safe_load(new)["data"] == {
        "same": "(hidden)",
        "changed": "(hidden, changed)",
        "new": "(hidden, changed)",
    }
    created = _owned.pair(None, after)[1]
    assert set(yaml.safe_load(created)["data"].values()) == {"(hidden)"}
    predicted = {**IDENTITY, "kind": "Secret", "data": {"a": CANARY}, "stringData": {"b": CANARY}}
    assert CANARY not in _owned.pair(None, predicted)[1]
