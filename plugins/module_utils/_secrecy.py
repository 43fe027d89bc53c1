# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credentials that the user sets, judged before anything starts and never shown.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _labels, _password
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

# Each variable, and the option of the `credentials` module that it becomes.
VARIABLES = {
    variable("postgres", "password"): "database_password",
    variable("litellm", "ui_password"): "ui_password",
    variable("litellm", "master_key"): "master_key",
    variable("litellm", "salt_key"): "salt_key",
    variable("multi_user", "common_password"): "ui_password",
}
# Judged where they are used.
ELSEWHERE = (variable("route", "tls_key"), variable("image_pull_secret", "content"))
_USERNAME = variable("litellm", "ui_username")


def problems(settings: Settings) -> Iterator[Problem]:
    """What is wrong with the user name and with credentials that are given."""
    username = settings["litellm"]["ui_username"]
    if not username.strip() or username != username.strip():
        remedy = "It is the administrator's login in the web UI, for example admin."
        yield wrong(_USERNAME, username, "must be a name without blanks around it", remedy)
    yield from _password.check({"ui_username": username.strip()}, {"ui_username": _USERNAME})
    for name, value in settings["credentials"].items():
        option = VARIABLES.get(name)
        if name in ELSEWHERE:
            continue
        if option is None:
            yield Problem("credentials", f"has no entry {name}", f"Use {', '.join(VARIABLES)}.")
        else:
            yield from _password.check({option: value}, {option: name})


def in_names(settings: Settings, instances: list[Instance]) -> Iterator[Problem]:
    """Credentials that are a piece of a name.

    Ansible hides a secret wherever its text occurs in a module's result. A password ``litellm``
    would turn the names that the next task reads into asterisks, and anybody would guess it.
    """
    words = {word for entry in _labels.OBJECTS for word in entry}
    for instance in (*instances[:1], *instances[-1:]):
        words.update(texts(instance))
    for name, value in settings["credentials"].items():
        if isinstance(value, str) and value and any(value in word for word in words):
            problem = "is a piece of the names that the deployment uses, so anybody can guess it"
            remedy = "Choose another, or leave it empty to have one generated."
            yield Problem(name, problem, remedy)


def texts(value: Any) -> set[str]:
    """All text in a value, keys of mappings apart, as Ansible collects it to blank it."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return {text for item in value for text in texts(item)}
    return set() if value is None else {str(value)}
