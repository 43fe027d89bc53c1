# SPDX-License-Identifier: MIT
"""Kubernetes quantities, by the grammar of apimachinery's resource.Quantity."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _quantity


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", "0"),
        ("2", "2"),
        ("500m", "0.5"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("2.", "2"),
        ("+1", "1"),
        ("-1Gi", "-1073741824"),
        ("100n", "1e-7"),
        ("100u", "1e-4"),
        ("1k", "1000"),
        ("1M", "1000000"),
        ("1Ki", "1024"),
        ("0.5Gi", "536870912"),
        ("1Ti", "1099511627776"),
        ("1Pi", "1125899906842624"),
        ("1E", "1e18"),
        ("1Ei", "1152921504606846976"),
        ("1e3", "1000"),
        ("1E3", "1000"),
        ("12e-1", "1.2"),
        ("2147483648", "2147483648"),
    ],
)
def test_parse(text: str, number: str) -> None:
    assert _quantity.parse(text) == Decimal(number)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1 Gi",
        "Gi",
        "1GB",
        "1gi",
        "1K",
        "ki",
        "1e",
        "1e3Mi",
        "1,5",
        "--1",
        "1\n",
        "٣",
        "NaN",
    ],
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(ValueError, match="no quantity"):
        _quantity.parse(text)
