# SPDX-License-Identifier: MIT
"""Secrets between the API's form and plain text."""

from __future__ import annotations

import base64

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _secret

LABELS = _labels.ownership("litemaas", "litemaas")


def test_a_manifest_is_read_back_as_it_was() -> None:
    data = {"UI_PASSWORD": "p@s:s/w#r?d&%+=;, \"é$x'", "EMPTY": ""}
    manifest = _secret.manifest("litemaas", "litellm-secret", LABELS, data, "")
    manifest["metadata"]["resourceVersion"] = "5"
    stored = _secret.stored(manifest, LABELS)
    assert (stored.data, stored.version, stored.complete, stored.salted) == (data, "5", True, True)
    assert base64.b64decode(manifest["data"]["UI_PASSWORD"]).decode() == data["UI_PASSWORD"]


def test_a_new_secret_is_only_created() -> None:
    """Version 1 is no object's: the server refuses to apply over one that is there."""
    new = _secret.manifest("litemaas", "postgres-secret", LABELS, {}, "")
    assert new["metadata"]["resourceVersion"] == "1"
    known = _secret.manifest("litemaas", "postgres-secret", LABELS, {}, "77")
    assert known["metadata"]["resourceVersion"] == "77"


def test_what_is_missing_makes_it_incomplete() -> None:
    for name in _secret.NAMES:
        manifest = _secret.manifest("litemaas", name, LABELS, {"A": "b"}, "5")
        assert _secret.stored(manifest, LABELS).complete
        manifest["metadata"]["labels"].pop("app")
        assert not _secret.stored(manifest, LABELS).complete
    manifest = _secret.manifest("litemaas", "litellm-secret", LABELS, {}, "5")
    del manifest["metadata"]["annotations"]
    stored = _secret.stored(manifest, LABELS)
    assert not stored.complete and not stored.salted


def test_no_value_is_printed() -> None:
    manifest = _secret.manifest("litemaas", "litellm-secret", LABELS, {"A": "canary"}, "5")
    assert "canary" not in repr(_secret.stored(manifest, LABELS))
