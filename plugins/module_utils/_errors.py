# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one exception type of this collection, caught once in every module's ``main()``.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from typing import Any


class LitemaasError(Exception):
    """Something the user must know: what is wrong, where, and what to do about it.

    ``str(error)`` is the message for ``fail_json``; ``result`` holds further keys of the result
    (what was done before the failure). Neither may hold a Secret's value.
    """

    def __init__(self, message: str, **result: Any) -> None:
        super().__init__(message)
        self.result: dict[str, Any] = result
