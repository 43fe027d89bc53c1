# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Making one object of a gateway what it should be: look, decide, act, and look whether it helped.

Internal to rhpds.litemaas: no stable interface for other collections.

An answer that got lost, or a gateway that restarts, leads back to the look: so nothing is made twice.
LiteLLM answers some changes with 200 and makes none of them; only the second look shows that.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import _management, _retry
from ansible_collections.rhpds.litemaas.plugins.module_utils._content import Change
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError
from ansible_collections.rhpds.litemaas.plugins.module_utils._gateway_error import GatewayError
from ansible_collections.rhpds.litemaas.plugins.module_utils._management import Management

# Seconds until a look shows what was done. Each replica of 1.81 reads the models every 30 seconds;
# the rest is read from the database.
_SHOWS = {"model": 45.0}
_SHOWS_OTHERS = 5.0
PATIENCE = 120.0  # seconds of passing trouble, at most
# Where the model is in the database, and this replica does not know it yet.
_NOT_SHOWN_YET = ("failed to add model to db", "unique constraint failed")

Look = Callable[[], Any]
Decide = Callable[[Any], Change]


class Settler:
    """Settles objects of one gateway. Safe to use from several threads.

    *retries*: of passing trouble. *dry_run*: only decide. *sleep* is replaced in tests.
    """

    def __init__(
        self,
        management: Management,
        *,
        retries: int,
        dry_run: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.management = management
        self.dry_run = dry_run
        self._retries = retries
        self._sleep = sleep

    def settle(self, look: Look, decide: Decide, *, confirm: bool = True) -> Change:
        """Return the first change that was needed, made and seen. Raises LitemaasError.

        *confirm*: without it the caller looks whether it helped, as for many objects at once.
        """
        budget = _retry.Budget(self._retries, PATIENCE)
        done: Change | None = None
        shows = 0.0
        while True:
            try:
                change = decide(look())
                if not change.changes:
                    return done or change
                if self.dry_run:
                    return change
                if shows:
                    if time.monotonic() > shows:
                        raise LitemaasError(_ignored(change))
                    self._sleep(0.5)
                    continue
                done = done or change
                self._act(change)
                if not confirm:
                    return done
                shows = time.monotonic() + _SHOWS.get(change.kind, _SHOWS_OTHERS)
            except GatewayError as error:
                if done and any(words in error.message.lower() for words in _NOT_SHOWN_YET):
                    shows = shows or time.monotonic() + _SHOWS["model"]
                    continue
                wait = budget.delay() if _management.is_passing(error) else None
                if wait is None:
                    raise
                self._sleep(wait)

    def ask(self, function: Callable[[], Any]) -> Any:
        """The result of a request that changes nothing, asked for again in passing trouble."""
        return ask(function, _retry.Budget(self._retries, PATIENCE), sleep=self._sleep)

    def _act(self, change: Change) -> None:
        if change.action in ("deleted", "replaced"):
            self.management.delete(change.kind, change.id)
        if change.action in ("created", "replaced"):
            self.management.create(change.kind, change.body)
        if change.action == "updated":
            self.management.update(change.kind, change.id, change.body)


def ask(
    function: Callable[[], Any],
    budget: _retry.Budget,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Any:
    """The result of a request, asked for again in passing trouble while the budget lasts."""
    while True:
        try:
            return function()
        except GatewayError as error:
            wait = budget.delay() if _management.is_passing(error) else None
            if wait is None:
                raise
            sleep(wait)


def said(error: LitemaasError, where: str) -> str:
    """An error in a sentence that names who answered."""
    if not isinstance(error, GatewayError):
        return str(error)
    if error.status:
        return f"{where} answers {error.status}: {error.message}"
    return f"{where}: {error.message}"


def _ignored(change: Change) -> str:
    fields = ", ".join(change.after) or "it"
    words: Mapping[str, str] = {
        "created": "said that it made it, and does not have it",
        "deleted": "said that it deleted it, and still has it",
    }
    told = words.get(change.action, f"accepted a change of {fields} and did not make it")
    hint = ""
    if change.action == "updated" and any(value is None for value in change.after.values()):
        hint = (
            "; this release of LiteLLM cannot take such a limit away: set a high one, or delete "
            f"the {change.kind} and make it again"
        )
    return f"the gateway {told}{hint}."
