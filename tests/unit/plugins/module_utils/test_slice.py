# SPDX-License-Identifier: MIT
"""What travels between the action plug-in and its module."""

from __future__ import annotations

from ansible_collections.rhpds.litemaas.plugins.module_utils._slice import Slice


def test_a_slice_survives_the_way() -> None:
    part = Slice(12.5, 5.5, '{"tracks": {}}')
    assert Slice.parse(part.dump(), 600) == part


def test_without_one_the_wait_is_whole() -> None:
    for text in (None, ""):
        assert Slice.parse(text, 600) == Slice(until=600, elapsed=0, state="")
