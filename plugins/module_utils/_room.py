# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the cluster has room for the instances of a plan: looked up, judged and told.

Internal to rhpds.litemaas: no stable interface for other collections.

What runs of the deployment is looked at first. When nothing is missing, as on a second run, that
was all: the pods of a large cluster are not listed for nothing.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _capacity,
    _capacity_read,
    _capacity_text,
    _demand,
    _permissions,
    _sizing,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._failure import ApiError
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import Instance
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import Problem

if TYPE_CHECKING:
    from ansible_collections.rhpds.litemaas.plugins.module_utils._client import Client


@dataclass
class Room:
    """What was found out."""

    table: list[str] = field(default_factory=list)
    fits: bool | None = None
    """None where it is not known."""
    fitting: int = 0
    """So many of the instances fit."""
    problem: Problem | None = None
    warnings: list[str] = field(default_factory=list)

    def result(self) -> dict[str, Any]:
        """For the module's result."""
        return {"fits": self.fits, "fitting": self.fitting, "table": self.table}


def look(
    client: Client,
    instances: Sequence[Instance],
    storage_class: Mapping[str, Any],
    *,
    deployed: bool,
    volumes: Container[str],
    caches: Container[str] = (),
    quotas: str = "",
) -> Room:
    """Read what is needed and judge. Raises LitemaasError when the API fails.

    :param deployed: whether anything of the deployment may be there.
    :param volumes: the namespaces whose databases' volumes are.
    :param caches: the same of Redis' volumes.
    :param quotas: what the quotas of the namespaces came to.
    """
    room = Room()
    deployment = instances[0]["deployment"]
    multi_user = bool(instances[0]["user"])
    # With users there may be instances beside those of the plan.
    alone = deployment == instances[0]["namespace"]
    home = instances[0]["namespace"] if alone else ""
    class_ = storage_class.get("name", "")
    reading = _capacity_read.Reading()
    pods = []
    try:
        pods = _capacity_read.own_pods(client, deployment, home) if deployed else []
    except ApiError as error:
        if error.status != 403:
            raise
        reading.unknown.append("pods")
    demand = _demand.demand(instances, pods)
    if demand.asks and not reading.unknown:
        provisioner = storage_class.get("provisioner", "")
        reading = _capacity_read.read(client, deployment, class_, provisioner)
    capacity = _capacity.judge(len(instances), demand, reading.nodes)
    new = [
        part(each).storage
        for part, there in ((_sizing.database, volumes), (_sizing.cache, caches))
        for each in instances
        if each["namespace"] not in there
    ]
    extra = _capacity_text.Extra(
        limits=_sizing.total(instances),
        storage=sum(new, Decimal(0)),
        storage_class=class_,
        host_label=(instances[-1]["frontend"] or instances[-1])["host"].partition(".")[0],
        quotas=quotas,
    )
    room.table = _capacity_text.lines(capacity, reading, extra)
    room.warnings = list(_permissions.unseen(reading.missing or reading.unknown))
    if reading.missing:
        return room
    room.fits, room.fitting = not capacity.unplaced, capacity.fitting
    if capacity.unplaced:
        grows = _capacity_read.autoscalers(client)
        room.problem = _capacity.problem(capacity, multi_user=multi_user, autoscalers=grows)
    return room
