# SPDX-License-Identifier: MIT
"""The manifests module's own part: its documentation, its options, what it hands on."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _changes,
    _connection,
    _inventory,
    _remove,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice
from ansible_collections.rhpds.litemaas.plugins.modules import manifests

OPTIONS: dict[str, Any] = yaml.safe_load(manifests.DOCUMENTATION)["options"]
DEFAULTS = {name: option.get("default") for name, option in manifests.argument_spec().items()}


def test_documentation_and_options_agree() -> None:
    spec = manifests.argument_spec()
    assert set(OPTIONS) | set(_connection.ARGUMENT_SPEC) == set(spec)
    for name, documented in OPTIONS.items():
        for key in ("type", "elements", "choices", "default"):
            assert documented.get(key) == spec[name].get(key), (name, key)


def test_every_action_is_documented() -> None:
    returned = yaml.safe_load(manifests.RETURN)["objects"]["contains"]["action"]["description"]
    for action in _changes._ORDER:
        assert f"V({action})" in " ".join(returned)


def test_the_text_is_not_logged() -> None:
    assert manifests.argument_spec()["manifests"]["no_log"] is True


def test_examples_are_tasks_with_options_that_exist() -> None:
    for task in yaml.safe_load(manifests.EXAMPLES):
        assert set(task["rhpds.litemaas.manifests"]) <= set(manifests.argument_spec())


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"selector": {"a": 1}}, _remove.Request(selector={"a": "1"})),
        ({"selector": None}, _remove.Request(selector={})),
        (
            {
                "selector": {"a": "b"},
                "namespaces": ["n"],
                "existing_namespaces": True,
                "keep_data": True,
                "wait": False,
            },
            _remove.Request({"a": "b"}, ("n",), True, True, 0),
        ),
        ({"selector": {"a": "b"}, "wait_timeout": 5}, _remove.Request({"a": "b"}, wait=5)),
        (
            {"selector": {"a": "b"}, "within": ["n"]},
            _remove.Request({"a": "b"}, within=frozenset(["n"])),
        ),
    ],
)
def test_removal_gets_what_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], expected: _remove.Request
) -> None:
    asked: list[Any] = []

    def removal(_client: Any, request: Any, **options: Any) -> None:
        asked.append((request, options))

    monkeypatch.setattr(_remove, "Removal", removal)
    params = {**DEFAULTS, "host": "http://localhost:1", "state": "absent", **params}
    manifests.removal(params, Slice(8, 3.0, "state"), check_mode=True)
    assert asked == [(expected, {"dry_run": True, "elapsed": 3.0, "state": "state"})]


def test_an_empty_text_is_told() -> None:
    params = {**DEFAULTS, "host": "http://localhost:1", "manifests": None}
    with pytest.raises(LitemaasError, match="no object in the text"):
        manifests.apply(params, check_mode=False, diff=False)


def test_what_is_removed_is_what_can_be_made() -> None:
    assert ("v1", "Namespace") in _inventory.KINDS
    assert len(set(_inventory.KINDS)) == len(_inventory.KINDS)
