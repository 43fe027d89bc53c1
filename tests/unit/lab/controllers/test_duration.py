# SPDX-License-Identifier: MIT
"""Times in annotations."""

from __future__ import annotations

import pytest
from lablib.controllers.duration import duration


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600s", "600s"),
        ("10m", "10m"),
        ("1500", "1500"),
        ("5us", "5us"),
        ("24d", "24d"),
        ("25d", "2147483647ms"),  # more than HAProxy's timer holds
        ("99999999999", "2147483647ms"),
        ("", ""),
        ("0s", ""),
        ("-1s", ""),
        ("1.5s", ""),
        ("1 s", ""),
        ("10 minutes", ""),
        ("1s\n  server evil 10.0.0.1:80", ""),
    ],
)
def test_duration(text: str, expected: str) -> None:
    assert duration(text) == expected
