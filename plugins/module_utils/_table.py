# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in columns.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence


def aligned(rows: Iterable[Sequence[str]], *, right: Iterable[int] = ()) -> list[str]:
    """Each row as one line, its cells below those of the other rows and two spaces apart.

    *right*: numbers of the columns that hold figures. Rows may be of different length.
    """
    table = [list(row) for row in rows]
    figures = set(right)
    widths: dict[int, int] = {}
    for row in table:
        for column, cell in enumerate(row):
            widths[column] = max(widths.get(column, 0), len(cell))
    return [
        "  ".join(
            cell.rjust(widths[column]) if column in figures else cell.ljust(widths[column])
            for column, cell in enumerate(row)
        ).rstrip()
        for row in table
    ]


def wrapped(text: str, width: int, indent: int) -> list[str]:
    """*text* in lines of at most *width* characters, indented. A long word, an address, stays whole."""
    room = " " * indent
    return textwrap.wrap(
        text,
        max(width, indent + 20),
        initial_indent=room,
        subsequent_indent=room,
        break_long_words=False,
        break_on_hyphens=False,
    )
