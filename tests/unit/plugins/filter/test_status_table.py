# SPDX-License-Identifier: MIT
"""The filter's edge: its width, and what it says to what is no list of instances."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.filter.status_table import FilterModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import _status_text

status_table = FilterModule().filters()["status_table"]


@pytest.mark.parametrize(("given", "width"), [(200, 200), ("120", 120), (0, Display().columns)])
def test_the_width_is_the_given_or_the_terminals(
    monkeypatch: pytest.MonkeyPatch, given: Any, width: int
) -> None:
    monkeypatch.setattr(_status_text, "text", lambda instances, width: f"{instances} {width}")
    assert status_table([], given) == f"[] {width}"


@pytest.mark.parametrize(
    ("instances", "width"), [("text", 0), ([1], 0), ([{"name": "a"}], 80), ([], "wide")]
)
def test_what_it_cannot_lay_out_is_an_error(instances: Any, width: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="status_table"):
        status_table(instances, width)
