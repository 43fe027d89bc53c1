# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same for many, some at a time.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

T = TypeVar("T")


def each(function: Callable[[T], Any], items: Iterable[T], threads: int) -> list[Any]:
    """Call ``function`` for all items, ``threads`` at a time; results in the items' order.

    A LitemaasError takes its result's place; any other exception is a bug and is raised.
    """

    def call(item: T) -> Any:
        try:
            return function(item)
        except LitemaasError as error:
            return error

    todo = list(items)
    if min(threads, len(todo)) < 2:
        return [call(item) for item in todo]
    with ThreadPoolExecutor(max_workers=min(threads, len(todo))) as pool:
        return list(pool.map(call, todo))
