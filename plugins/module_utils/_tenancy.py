# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether each user has an instance or all share one: what that asks of the settings, and needs.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _instances,
    _password,
    _settings,
    _sizing,
    _tenants,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

LIMITS: dict[str, dict[str, Any]] = {
    name: {"type": "int" if name.endswith(("_limit", "_requests")) else "str"}
    for name in _tenants.LIMITS
} | {"max_budget": {"type": "float"}}
_DURATION = re.compile(r"[1-9][0-9]*(s|m|h|d|w|mo)")
_LIMITS = variable("shared_limits")
# What the keys of all users cannot have in common, under either of its names.
_OWN = {
    ("team_id", "team"): "each user's keys are in the user's own team",
    ("user_id", "user"): "each user's keys are the user's own",
    ("value", "value"): "all users would have the same key",
}


def other(settings: Settings, users: int) -> tuple[str, _sizing.Sizing]:
    """The tenancy that is not chosen, and what all of it would need."""
    name = next(each for each in _settings.TENANCIES if each != settings["tenancy"])
    changed = cast(Settings, {**settings, "tenancy": name})
    return name, _sizing.total(_instances.instances(changed, users))


def otherwise(settings: Settings, users: int) -> str:
    """What the other tenancy would need, in a sentence."""
    name, sums = other(settings, users)
    needs = sums.words()
    what = f"{users} instances of their own" if users > 1 else "1 instance of its own"
    if name == _settings.SHARED:
        what = "One gateway that all share"
    return (
        f"{what} would need {needs['cpu_request']} CPU and {needs['memory_request']} of memory "
        f"({variable('tenancy')}: {name})"
    )


def problems(settings: Settings, users: int) -> Iterator[Problem]:
    """What is wrong with the settings of a shared gateway."""
    tenancy = settings["tenancy"]
    if tenancy not in _settings.TENANCIES:
        remedy = f"Use {' or '.join(_settings.TENANCIES)}."
        yield wrong(variable("tenancy"), tenancy, "is no tenancy", remedy)
    if tenancy == _settings.SHARED and not settings["multi_user"]:
        problem = "needs users who share it"
        remedy = f"Set {variable('multi_user')} to true and num_users to their number."
        yield wrong(variable("tenancy"), tenancy, problem, remedy)
    yield from _limit_problems(settings["shared_limits"])
    if not _settings.shared(settings):
        return
    yield from _name_problems(settings, users)
    for spec in _tenants.templates(settings):
        for names, why in _OWN.items():
            if any(spec.get(name) for name in names):
                problem = f"cannot be: key {_tenants.named(spec)} has a {names[-1]}"
                remedy = f"With a shared gateway {why}: leave it out."
                yield Problem(variable("virtual_keys"), problem, remedy)
    fault = _password.login_fault(_common(settings)) if _common(settings) else ""
    if fault:
        problem = f"{fault}, which LiteLLM asks for in the password of a user"
        remedy = "Choose another, or leave it empty: every user gets an own one."
        yield Problem(variable("multi_user", "common_password"), problem, remedy)


def _limit_problems(limits: Mapping[str, Any]) -> Iterator[Problem]:
    checked = ArgumentSpecValidator(LIMITS).validate(dict(limits))
    for text in checked.error_messages:
        yield Problem(_LIMITS, f"cannot be: {text}", f"Give {', '.join(LIMITS)} or some of them.")
    if checked.error_messages:
        return
    for name, value in checked.validated_parameters.items():
        if name == "budget_duration":
            if value and not _DURATION.fullmatch(value):
                remedy = "Write it as 30d, 12h or 1mo."
                yield wrong(_LIMITS, value, "has a budget_duration that is no duration", remedy)
        elif value is not None and value <= 0:
            remedy = "Leave it out for no limit."
            yield wrong(_LIMITS, value, f"has a {name} with which nobody could do anything", remedy)


def _name_problems(settings: Settings, users: int) -> Iterator[Problem]:
    names = {_tenants.login(settings, number) for number in range(1, users + 1)}
    administrator = settings["litellm"]["ui_username"]
    if administrator in names:
        remedy = "Choose another for the administrator."
        yield wrong(
            variable("litellm", "ui_username"), administrator, "is the login of a user", remedy
        )
    for spec in settings["content"].get("teams") or ():
        for name in sorted(names & {spec.get(key) for key in ("team_alias", "team_id", "alias")}):
            problem = f"cannot be: team {name} is that of a user"
            yield Problem(variable("teams"), problem, "Choose another name.")


def _common(settings: Settings) -> str:
    given = settings["credentials"].get(variable("multi_user", "common_password"))
    return given if isinstance(given, str) else ""
