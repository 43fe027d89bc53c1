# SPDX-License-Identifier: MIT
"""What a gateway serves after a run, whichever of its pods was asked."""

from __future__ import annotations

from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_model
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_content import unlisted


def test_a_model_that_another_pod_has_counts_although_this_one_does_not_list_it() -> None:
    models = [
        _content_model.read({"name": name, "model": f"openai/{name}", **more})
        for name, more in {
            "old": {},
            "new": {},
            "failed": {},
            "gone": {"state": "absent"},
        }.items()
    ]
    old = models[0]
    listed = [{"model_name": old.name, "model_info": {"id": old.id}}]
    changes = [
        Change("model", "old", "unchanged"),
        Change("model", "new", "created"),
        Change("model", "gone", "deleted"),
        Change("team", "failed", "created"),
    ]
    assert [model.name for model in unlisted(listed, models, changes)] == ["new"]
