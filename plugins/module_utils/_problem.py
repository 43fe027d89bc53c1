# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a deployment before it starts: one sentence a problem, all of them at once.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

PREFIX = "ocp4_workload_litemaas_"


def variable(*path: str) -> str:
    """The role variable of a module option: ``variable("litellm", "image")``.

    The options of the ``plan`` module are named so that this holds for each of them.
    """
    return PREFIX + "_".join(path)


def shown(value: Any) -> str:
    """*value* as a message quotes it: text in quotes, numbers bare, booleans as in YAML."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(str(value)) if isinstance(value, str) else str(value)


@dataclass(frozen=True)
class Problem:
    """One thing that keeps the deployment from starting."""

    variable: str
    """What is at fault: a variable's full name, or ``permissions``, ``connection``, ``capacity``."""
    problem: str
    """The rest of a sentence that begins with the variable: ``must be …``, no full stop."""
    remedy: str
    """What to do, as whole sentences."""
    value: str = ""
    """The value found, as :func:`shown`; empty where there is none or it is a secret."""

    @property
    def sentence(self) -> str:
        """What is wrong, without the remedy; no full stop."""
        got = f", got {self.value}" if self.value else ""
        return f"{self.variable} {self.problem}{got}"

    def __str__(self) -> str:
        return f"{self.sentence}. {self.remedy}".rstrip()

    def result(self) -> dict[str, str]:
        """For the module's result: ``{variable, value, problem, remedy}``."""
        return asdict(self)


def wrong(name: str, value: Any, problem: str, remedy: str) -> Problem:
    """A problem with *value* of the variable *name*."""
    return Problem(name, problem, remedy, shown(value))


def listed(names: list[str], most: int = 5) -> str:
    """Names for a message: all when there are few, else the first and how many more."""
    if len(names) <= most:
        return ", ".join(names)
    return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} more"


def refusal(problems: Iterable[Problem]) -> LitemaasError:
    """The error that lists *problems*, numbered; its result holds them one by one."""
    found = list(problems)
    head = "1 problem" if len(found) == 1 else f"{len(found)} problems"
    lines = [f"{number}. {problem}" for number, problem in enumerate(found, start=1)]
    return LitemaasError(
        "\n".join([f"{head} found before the start; nothing was created or changed.", *lines]),
        problems=[problem.result() for problem in found],
    )
