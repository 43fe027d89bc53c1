# SPDX-License-Identifier: MIT
"""Each option of the plan stands for one variable of the role."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _problem,
    _secrecy,
    _settings,
)

ROLE = Path(__file__).resolve().parents[4] / "roles" / "ocp4_workload_litemaas"
FACTS = ("cluster", "num_users", "content", "credentials")


def options(spec: dict[str, Any], *path: str) -> Iterator[tuple[str, ...]]:
    for name, option in spec.items():
        if "options" in option:
            yield from options(option["options"], *path, name)
        else:
            yield (*path, name)


def test_every_option_is_a_variable_of_the_role() -> None:
    document = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())
    variables = set(document["argument_specs"]["main"]["options"])
    names = {
        _problem.variable(*path)
        for path in options(_settings.ARGUMENT_SPEC)
        if path[0] not in FACTS
    }
    assert names <= variables, names - variables
    assert set(_secrecy.VARIABLES) <= variables


def test_the_types_name_the_same_options() -> None:
    hints = typing.get_type_hints(_settings.Settings)
    assert set(hints) == set(_settings.ARGUMENT_SPEC)
    for name, kind in (
        ("cluster", _settings.Cluster),
        ("litellm", _settings.Litellm),
        ("postgres", _settings.Postgres),
        ("multi_user_litellm", _settings.Sizes),
        ("multi_user_postgres", _settings.Sizes),
    ):
        found = set(typing.get_type_hints(kind))
        assert found == set(_settings.ARGUMENT_SPEC[name]["options"]), name
