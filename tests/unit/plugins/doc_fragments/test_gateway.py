# SPDX-License-Identifier: MIT
"""The documented options are those that the modules take."""

from __future__ import annotations

import yaml
from ansible_collections.rhpds.litemaas.plugins.doc_fragments import gateway
from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_options, _gateways
from ansible_collections.rhpds.litemaas.plugins.modules import (
    gateway_content,
    litellm_key,
    litellm_model,
    litellm_team,
    litellm_user,
)


def test_the_fragment_has_the_options_of_the_code() -> None:
    documented = yaml.safe_load(gateway.ModuleDocFragment.DOCUMENTATION)["options"]
    assert list(documented) == list(_gateways.OPTIONS)
    for name, option in _gateways.OPTIONS.items():
        assert documented[name]["type"] == option["type"]
        assert documented[name].get("default") == option.get("default")


def test_one_object_is_documented_as_in_the_list_of_many() -> None:
    many = yaml.safe_load(gateway_content.DOCUMENTATION)["options"]
    modules = {
        "models": litellm_model,
        "teams": litellm_team,
        "users": litellm_user,
        "virtual_keys": litellm_key,
    }
    for kind, module in modules.items():
        one = yaml.safe_load(module.DOCUMENTATION)["options"]
        several = many[kind]["suboptions"]
        assert list(several) == list(_content_options.CONTENT[kind]["options"])
        for name, option in several.items():
            assert {**option, "description": None} == {**one[name], "description": None}
