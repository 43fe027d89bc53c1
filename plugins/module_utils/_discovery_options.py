# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the discovery of models.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from typing import Any

_SECRET: dict[str, dict[str, Any]] = {
    "name": {"type": "str", "required": True},
    "key": {"type": "str", "default": "token", "no_log": False},
    "namespace": {"type": "str"},
}
OPTIONS: dict[str, dict[str, Any]] = {
    "endpoints": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "url": {"type": "str", "required": True},
            "name": {"type": "str"},
            "api_key": {"type": "str", "no_log": True},
            "api_key_secret": {"type": "dict", "no_log": False, "options": _SECRET},
            "ca": {"type": "str"},
            "models": {"type": "list", "elements": "str", "default": []},
            "mode": {"type": "str"},
            "parameters": {"type": "dict", "default": {}},
        },
    },
    "inference_services": {
        "type": "dict",
        "options": {
            "namespaces": {"type": "list", "elements": "str", "default": []},
            "names": {"type": "list", "elements": "str", "default": []},
            "selector": {"type": "str", "default": ""},
            "address": {"type": "str", "choices": ["external", "internal"], "default": "external"},
            "api_key_secret": {"type": "dict", "no_log": False, "options": _SECRET},
            "ca": {"type": "str"},
        },
    },
    "ca": {"type": "str"},
    "test": {"type": "bool", "default": True},
    "timeout": {"type": "int", "default": 15},
    "retries": {"type": "int", "default": 2},
    "return_values": {"type": "bool", "default": False},
    "on_failure": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}
