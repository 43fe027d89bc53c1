# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the data file: YAML, laid out so that one user can be changed without the others.

Internal to rhpds.litemaas: no stable interface for other collections.

Each user has a line under ``users:``, which comes last. Reading and writing the whole file for each
of 1,000 users would take minutes: parsing YAML is that slow, and it would be done 1,000 times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._user_info import USERS

_HEAD = f"\n{USERS}:\n"
_NAME = r"[A-Za-z]+[-_.]?[0-9]+"  # of a user: user1, student-07; no word of YAML is like that
_LINE = re.compile(rf"  ({_NAME}): (\{{.*\}})\n")
_SECTION = re.compile(rf"(?:{_LINE.pattern})+")
# What YAML does not read as JSON means it: more line ends, and what it calls not printable.
_UNSAFE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


def load(text: str) -> Any:
    """Parse the text. Raises yaml.YAMLError."""
    import yaml

    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def dump(data: Mapping[str, Any]) -> str:
    """Return the text of all data."""
    users = data.get(USERS)
    lines = []
    if users and isinstance(users, dict):
        lines = [_line(name, user) for name, user in users.items()]
    if not lines or "" in lines:
        return _dump(data)
    others = {key: value for key, value in data.items() if key != USERS}
    head = _dump(others) if others else "---\n"
    return f"{head}{USERS}:\n{''.join(lines)}"


def with_user(text: str, name: str, change: Callable[[Any], Any]) -> str | None:
    """Return the text with one user changed; None when it is not laid out as by ``dump``.

    ``change`` is given what there is of the user, or None, and returns what there shall be.
    """
    head, mark, section = text.rpartition(_HEAD)
    if not mark or not _SECTION.fullmatch(section):
        return None
    place = re.search(rf"^  {re.escape(name)}: (.*)\n", section, re.MULTILINE)
    try:
        line = _line(name, change(json.loads(place[1]) if place else None))
    except ValueError:
        return None
    if not line:
        return None
    start, end = place.span() if place else (len(section), len(section))
    return f"{head}{mark}{section[:start]}{line}{section[end:]}"


def item(text: str) -> str:
    """Return a text as a line of a YAML list."""
    return f"- {_quoted(text)}\n"


def _line(name: str, user: Any) -> str:
    """The line of a user; "" when one line of JSON cannot say it in YAML."""
    if not re.fullmatch(_NAME, name) or not isinstance(user, dict) or not _is_simple(user):
        return ""
    return f"  {name}: {_quoted(user)}\n"


def _quoted(value: Any) -> str:
    """JSON in one line that YAML reads the same way."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _is_simple(value: Any) -> bool:
    """Whether JSON and YAML agree on a value: not on 1e+16, nor on very long keys."""
    if isinstance(value, dict):
        return all(len(key) < 256 and _is_simple(item) for key, item in value.items())
    if isinstance(value, list):
        return all(_is_simple(item) for item in value)
    return not isinstance(value, float)


def _dump(data: Mapping[str, Any]) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return yaml.dump(data, Dumper=dumper, explicit_start=True, default_flow_style=False)
