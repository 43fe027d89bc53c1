# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an action hands to its module: no more than that knows, as what is long takes long.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from ansible.errors import AnsibleActionFail


def instances(
    given: Any, keys: Iterable[str], more: Callable[[dict[str, Any]], dict[str, Any]]
) -> list[dict[str, Any]]:
    """Of each of the plan's instances the *keys*, and what *more* makes of it.

    Raises AnsibleActionFail for anything else.
    """
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise AnsibleActionFail("instances must be a list of dictionaries, as plan returns it")
    return [{**{key: each[key] for key in keys if key in each}, **more(each)} for each in given]
