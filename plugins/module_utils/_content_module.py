# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules for a gateway's content share: from parameters to a result, without secrets.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _content_run,
    _gateways,
    _secrecy,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import HIDDEN, LISTS
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

# The options that hold secrets, one each or a dictionary of them.
SECRETS = ("api_key", "credentials", "litellm_params", "value", "login_password")


def run(
    module: Any, targets: Callable[[], list[_gateways.Target]], content: Mapping[str, Any]
) -> None:
    """Bring gateways to *content* and end the module."""
    hide(module, content)
    report = module.params["on_failure"] == "report"

    def settle() -> dict[str, Any]:
        result = _run(module, targets(), content)
        return {**result, "failed": result.get("failed", False) and not report}

    finish(module, settle)


def one(module: Any, kind: str, options: Mapping[str, Any]) -> None:
    """Bring one gateway to one object, whose options are the module's own, and end the module."""
    spec = {name: module.params[name] for name in options}
    content = {LISTS[kind]: [spec]}
    params = dict(module.params)
    for name in SECRETS:
        if module.params.get(name):
            module.params[name] = HIDDEN
    _forget(module, content)

    def settle() -> dict[str, Any]:
        result = _run(module, [_gateways.one(params)], content)
        gateway = result.pop("gateways")[0]
        result.pop("failed_instances")
        # The object itself stands last: before it, what was repaired for it.
        found = gateway[LISTS[kind]]
        result |= {kind: found[-1] if found else {}, "gateway": gateway}
        if gateway["problems"]:
            result["msg"] = "; ".join(gateway["problems"])
        return result

    finish(module, settle)


def finish(module: Any, function: Callable[[], dict[str, Any]]) -> None:
    """End the module with a result, or with the error that kept it from one."""
    try:
        result = function()
    except LitemaasError as error:
        module.fail_json(msg=str(error), **error.result)
    for warning in result.pop("warnings", ()):
        module.warn(warning)
    if result.get("failed"):
        module.fail_json(**{key: value for key, value in result.items() if key != "failed"})
    module.exit_json(**{key: value for key, value in result.items() if key != "failed"})


def _run(
    module: Any, targets: list[_gateways.Target], content: Mapping[str, Any]
) -> dict[str, Any]:
    return _content_run.run(
        module.params, targets, content, dry_run=module.check_mode, diff=module._diff
    )


def hide(module: Any, content: Mapping[str, Any]) -> None:
    """Take secrets out of the parameters, which Ansible returns."""
    for kind, specs in content.items():
        module.params[kind] = [
            {name: HIDDEN if name in SECRETS and value else value for name, value in spec.items()}
            for spec in specs
        ]
    _forget(module, content)


def _forget(module: Any, content: Mapping[str, Any]) -> None:
    """Ansible blanks secrets wherever their text occurs in the result, such as in a model's name.

    There are none in it, but those that were asked for.
    """
    for specs in content.values():
        for spec in specs:
            for name in SECRETS:
                module.no_log_values.difference_update(_secrecy.texts(spec.get(name)))
