# SPDX-License-Identifier: MIT
"""What the documentation says about the connection's options is what the modules take."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.doc_fragments.connection import ModuleDocFragment
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import ARGUMENT_SPEC

DOCUMENTED: dict[str, Any] = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]


def test_the_same_options() -> None:
    assert set(DOCUMENTED) == set(ARGUMENT_SPEC)
    proxy_headers = DOCUMENTED["proxy_headers"]["suboptions"]
    assert set(proxy_headers) == set(ARGUMENT_SPEC["proxy_headers"]["options"])


@pytest.mark.parametrize("name", sorted(ARGUMENT_SPEC))
def test_the_same_types_and_aliases(name: str) -> None:
    for key in ("type", "aliases", "elements", "default"):
        assert DOCUMENTED[name].get(key) == ARGUMENT_SPEC[name].get(key)


@pytest.mark.parametrize("name", sorted(set(ARGUMENT_SPEC) - {"proxy_headers"}))
def test_the_environment_variable_is_named(name: str) -> None:
    names = (name, *ARGUMENT_SPEC[name].get("aliases", ()))
    text = " ".join(DOCUMENTED[name]["description"])
    assert any(f"E(K8S_AUTH_{alias.upper()})" in text for alias in names)


def test_secrets_are_not_logged() -> None:
    hidden = {name for name, option in ARGUMENT_SPEC.items() if option.get("no_log")}
    assert hidden == {"kubeconfig", "api_key", "password"}
    inner = ARGUMENT_SPEC["proxy_headers"]["options"]
    assert {name for name, option in inner.items() if option.get("no_log")} == {
        "basic_auth",
        "proxy_basic_auth",
    }
