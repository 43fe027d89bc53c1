# SPDX-License-Identifier: MIT
"""By which labels the live objects are looked for."""

from __future__ import annotations

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _live

OURS = _labels.deployment_labels("d")
SELECTOR = "app.kubernetes.io/managed-by=rhpds.litemaas,rhpds.litemaas/deployment=d"


@pytest.mark.parametrize(
    ("labels", "selector"),
    [
        ([], ""),
        ([{}], ""),
        ([{"a": "b"}, {}], ""),
        ([{"a": "b", "c": "d"}, {"a": "b", "c": "e"}], "a=b"),
        # Ownership alone: a version among the labels would hide what the last release made.
        ([{**OURS, "version": "1"}, {**OURS, "version": "1"}], SELECTOR),
        (
            [{**OURS}, {**OURS, "rhpds.litemaas/deployment": "e"}],
            SELECTOR.split(",", maxsplit=1)[0],
        ),
    ],
)
def test_common_selector(labels: list[dict[str, str]], selector: str) -> None:
    assert _live.common_selector({"metadata": {"labels": item}} for item in labels) == selector
    assert not labels or _live.common_selector([{"metadata": {}}]) == ""
