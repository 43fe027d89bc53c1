# SPDX-License-Identifier: MIT
"""The filter's edge: its width, and what it says to what is no result."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.utils.display import Display
from ansible_collections.rhpds.litemaas.plugins.filter.content_table import FilterModule
from ansible_collections.rhpds.litemaas.plugins.module_utils import _content_text

content_table = FilterModule().filters()["content_table"]


@pytest.mark.parametrize(("given", "width"), [(200, 200), ("120", 120), (0, Display().columns)])
def test_the_width_is_the_given_or_the_terminals(
    monkeypatch: pytest.MonkeyPatch, given: Any, width: int
) -> None:
    monkeypatch.setattr(_content_text, "text", lambda result, width: f"{result} {width}")
    assert content_table({}, given) == f"{{}} {width}"


@pytest.mark.parametrize(
    ("result", "width"), [([], 0), ({"gateways": [{"via": "route"}]}, 80), ({}, "wide")]
)
def test_what_it_cannot_lay_out_is_an_error(result: Any, width: Any) -> None:
    with pytest.raises(AnsibleFilterError, match="content_table"):
        content_table(result, width)
