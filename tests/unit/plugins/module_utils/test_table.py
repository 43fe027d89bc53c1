# SPDX-License-Identifier: MIT
"""Text in columns: aligned, and wrapped without breaking an address."""

from __future__ import annotations

from ansible_collections.rhpds.litemaas.plugins.module_utils import _table


def test_cells_stand_below_each_other() -> None:
    rows = [["NAME", "COUNT", "WHERE"], ["a", "2", "there"], ["longer", "10"]]
    assert _table.aligned(rows, right=[1]) == [
        "NAME    COUNT  WHERE",
        "a           2  there",
        "longer     10",
    ]


def test_nothing_is_no_line() -> None:
    assert not _table.aligned([])


def test_words_are_wrapped_and_addresses_stay_whole() -> None:
    address = "https://a-host-that-is-longer-than-the-line.example.com"
    assert _table.wrapped(f"see {address} for more", 30, 4) == [
        "    see",
        f"    {address}",
        "    for more",
    ]
