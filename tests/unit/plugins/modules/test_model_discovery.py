# SPDX-License-Identifier: MIT
"""What the modules that look at models, keys and spend document is what they take."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _connection, _gateways
from ansible_collections.rhpds.litemaas.plugins.modules import litellm_info, model_discovery


def same(documented: dict[str, Any], spec: dict[str, Any]) -> None:
    assert set(documented) == set(spec)
    for name, option in documented.items():
        for key in ("type", "elements", "choices", "default", "required"):
            assert option.get(key) == spec[name].get(key), (name, key)
        if "options" in spec[name]:
            same(option["suboptions"], spec[name]["options"])


def own(module: Any) -> dict[str, Any]:
    shared = {*_connection.ARGUMENT_SPEC, *_gateways.OPTIONS}
    return {name: spec for name, spec in module.argument_spec().items() if name not in shared}


@pytest.mark.parametrize("module", [model_discovery, litellm_info])
def test_documentation_and_options_agree(module: Any) -> None:
    same(yaml.safe_load(module.DOCUMENTATION)["options"], own(module))


@pytest.mark.parametrize("module", [model_discovery, litellm_info])
def test_examples_are_tasks_with_options_that_exist(module: Any) -> None:
    name = "rhpds.litemaas." + module.__name__.rpartition(".")[2]
    tasks = [task[name] for task in yaml.safe_load(module.EXAMPLES) if name in task]
    assert tasks
    for options in tasks:
        assert set(options) <= set(module.argument_spec())


def test_keys_are_not_logged() -> None:
    endpoint = own(model_discovery)["endpoints"]["options"]
    assert endpoint["api_key"]["no_log"] is True
