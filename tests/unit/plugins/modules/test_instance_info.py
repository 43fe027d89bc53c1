# SPDX-License-Identifier: MIT
"""The module's edge: what it returns, how it fails, and what it documents."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _status
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.modules import instance_info


class Ended(Exception):
    """The module has returned."""


def run(monkeypatch: pytest.MonkeyPatch, read: Any, **params: Any) -> dict[str, Any]:
    result: dict[str, Any] = {}

    class Module:
        def __init__(self, argument_spec: dict[str, Any], supports_check_mode: bool) -> None:
            assert supports_check_mode
            defaults = {name: option.get("default") for name, option in argument_spec.items()}
            self.params = {**defaults, **params}

        def exit_json(self, **values: Any) -> None:
            result.update(values)
            raise Ended

        def fail_json(self, **values: Any) -> None:
            self.exit_json(failed=True, **values)

    monkeypatch.setattr(instance_info, "AnsibleModule", Module)
    monkeypatch.setattr(instance_info._client, "connect", lambda _params: "client")
    monkeypatch.setattr(_status, "read", read)
    with pytest.raises(Ended):
        instance_info.main()
    return result


def test_options_are_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def read(client: Any, **options: Any) -> list[Any]:
        seen.update(client=client, **options)
        return []

    options = {"namespaces": ["a"], "deployment": "b", "gateway": False}
    authority = "-----BEGIN CERTIFICATE-----"
    result = run(monkeypatch, read, gateway_ca=authority, **options)
    assert seen == {"client": "client", "authorities": authority, **options}
    assert result == {"changed": False, "ready": True, "instances": []}


def test_one_that_is_not_ready_is_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [{"ready": True}, {"ready": False}]
    result = run(monkeypatch, lambda *_a, **_o: found)
    assert (result["ready"], result["instances"]) == (False, found)
    assert "failed" not in result


def test_an_error_is_a_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_args: Any, **_options: Any) -> list[Any]:
        raise LitemaasError("the reason", more=1)

    assert run(monkeypatch, read) == {"failed": True, "msg": "the reason", "more": 1}


def test_options_are_documented() -> None:
    documented = yaml.safe_load(instance_info.DOCUMENTATION)["options"]
    own = {"namespaces", "deployment", "gateway", "gateway_ca"}
    assert set(documented) == own <= set(instance_info.argument_spec())
