# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What instances ask of a cluster: CPU, memory, storage, pods and volumes.

Internal to rhpds.litemaas: no stable interface for other collections.

The same figures judge the settings, fill the plan's table and the sizing tables of the README.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Literal

from ansible_collections.rhpds.litemaas.plugins.module_utils import _quantity, _settings
from ansible_collections.rhpds.litemaas.plugins.module_utils._instances import (
    Instance,
    Resources,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

_MI = Decimal(2**20)
_GI = Decimal(2**30)
# Beyond these a quantity is a slip: `512m` of memory is half a byte, `1000` CPUs mean 1000m.
_LEAST_MEMORY = _MI
_MOST_CPU = Decimal(256)
# What waits for the database before the gateway starts; a test compares it with the manifest.
GATEWAY_INIT: Resources = {
    "requests": {"cpu": "10m", "memory": "32Mi"},
    "limits": {"cpu": "200m", "memory": "64Mi"},
}
# What tests the tables beside the backend; as above.
BACKEND_CHECK = GATEWAY_INIT
_EXAMPLES = {"cpu": "500m or 2", "memory": "512Mi or 2Gi", "storage": "10Gi"}


@dataclass(frozen=True)
class Sizing:
    """Sums: CPU in cores, memory and storage in bytes, pods and volumes in pieces."""

    cpu_request: Decimal = Decimal(0)
    cpu_limit: Decimal = Decimal(0)
    memory_request: Decimal = Decimal(0)
    memory_limit: Decimal = Decimal(0)
    storage: Decimal = Decimal(0)
    pods: int = 0
    volumes: int = 0

    def __add__(self, other: Sizing) -> Sizing:
        return Sizing(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def words(self) -> dict[str, str | int]:
        """As a person reads it: ``{"cpu_request": "700m", "memory_request": "1.5Gi", …}``."""
        return {
            "cpu_request": cpu(self.cpu_request),
            "cpu_limit": cpu(self.cpu_limit),
            "memory_request": size(self.memory_request),
            "memory_limit": size(self.memory_limit),
            "storage": size(self.storage),
            "pods": self.pods,
            "volumes": self.volumes,
        }


def gateway_pod(instance: Instance) -> Sizing:
    """One pod of an instance's gateway; its migration needs as much.

    The init container is over before the gateway starts, so it counts only where it asks for more.
    """
    found = instance["litellm"]["resources"]

    def most(bound: Literal["requests", "limits"], resource: str) -> Decimal:
        return max(
            _quantity.parse(found[bound][resource]),
            _quantity.parse(GATEWAY_INIT[bound][resource]),
        )

    return Sizing(
        cpu_request=most("requests", "cpu"),
        cpu_limit=most("limits", "cpu"),
        memory_request=most("requests", "memory"),
        memory_limit=most("limits", "memory"),
        pods=1,
    )


def gateway(instance: Instance) -> Sizing:
    """All replicas of an instance's gateway."""
    return sum((gateway_pod(instance) for _n in range(instance["litellm"]["replicas"])), Sizing())


def database(instance: Instance) -> Sizing:
    """An instance's database with its volume; nothing where that is one of the site's."""
    if instance["external_database"]:
        return Sizing()
    storage = _quantity.parse(instance["postgres"]["storage_size"])
    return _pod(instance["postgres"]["resources"]) + Sizing(storage=storage, volumes=1)


def cache(instance: Instance) -> Sizing:
    """An instance's Redis with its volume; nothing where it has none."""
    redis = instance["redis"]
    if redis is None:
        return Sizing()
    size = redis["storage_size"]
    volume = Sizing(storage=_quantity.parse(size), volumes=1) if size else Sizing()
    return _pod(redis["resources"]) + volume


def pooler(instance: Instance) -> Sizing:
    """An instance's PgBouncer; nothing where it has none."""
    found = instance["pgbouncer"]
    return _pod(found["resources"]) if found else Sizing()


def backend(instance: Instance) -> Sizing:
    """An instance's LiteMaaS backend with what checks its tables; nothing where it has none."""
    found = instance["backend"]
    return _pod(found["resources"], BACKEND_CHECK) if found else Sizing()


def frontend(instance: Instance) -> Sizing:
    """An instance's LiteMaaS frontend; nothing where it has none."""
    found = instance["frontend"]
    return _pod(found["resources"]) if found else Sizing()


def _pod(*containers: Resources) -> Sizing:
    """One pod of these containers."""

    def total(bound: Literal["requests", "limits"], resource: str) -> Decimal:
        return sum((_quantity.parse(each[bound][resource]) for each in containers), Decimal(0))

    return Sizing(
        cpu_request=total("requests", "cpu"),
        cpu_limit=total("limits", "cpu"),
        memory_request=total("requests", "memory"),
        memory_limit=total("limits", "memory"),
        pods=1,
    )


# Each part by the label `app` of its pods.
BY_APP: dict[str, Callable[[Instance], Sizing]] = {
    "postgres": database,
    "litellm": gateway,
    "redis": cache,
    "pgbouncer": pooler,
    "backend": backend,
    "frontend": frontend,
}


def total(instances: Iterable[Instance]) -> Sizing:
    """What *instances* ask for together."""
    found = Sizing()
    for instance in instances:
        for part in BY_APP.values():
            found += part(instance)
    return found


def cpu(cores: Decimal) -> str:
    """``700m`` below ten cores unless they are whole, else cores with one decimal at most."""
    if cores == cores.to_integral_value():
        return str(int(cores))
    if cores < 10:
        return f"{int(cores * 1000)}m"
    return f"{cores:.1f}"


def size(amount: Decimal) -> str:
    """Bytes in the unit a person would use: ``512Mi``, ``1.5Gi``, ``800Gi``."""
    if amount < _GI:
        return f"{amount / _MI:.0f}Mi"
    return f"{amount / _GI:.2f}".rstrip("0").rstrip(".") + "Gi"


def problems(settings: Settings) -> Iterator[Problem]:
    """Quantities that do not parse, cannot be meant, or whose request is above the limit."""
    for part in _settings.parts(settings):
        option, sizes = _settings.sizes(settings, part)
        for kind in ("cpu", "memory"):
            request = variable(option, f"{kind}_request")
            limit = variable(option, f"{kind}_limit")
            least: str = sizes[f"{kind}_request"]  # type: ignore[literal-required]
            most: str = sizes[f"{kind}_limit"]  # type: ignore[literal-required]
            low, low_problem = _judge(request, least, kind)
            high, high_problem = _judge(limit, most, kind)
            yield from (problem for problem in (low_problem, high_problem) if problem)
            if low is not None and high is not None and low > high:
                problem = f"is above {limit}, which is {most}"
                yield wrong(request, least, problem, "Lower the one or raise the other.")
    name = variable("postgres", "storage_size")
    _amount, found_problem = _judge(name, settings["postgres"]["storage_size"], "storage")
    if found_problem:
        yield found_problem
    redis = settings["redis"]
    if redis is not None and "redis" in _settings.parts(settings) and redis["storage_size"]:
        name = variable("redis", "storage_size")
        _amount, found_problem = _judge(name, redis["storage_size"], "storage")
        if found_problem:
            yield found_problem


def _judge(name: str, text: str, kind: str) -> tuple[Decimal | None, Problem | None]:
    """The amount, or what is wrong with it."""
    example = f"Write it as {_EXAMPLES[kind]}."
    try:
        amount = _quantity.parse(text)
    except ValueError:
        return None, wrong(name, text, "is no quantity", example)
    if amount <= 0:
        return None, wrong(name, text, "must be more than nothing", example)
    if kind != "cpu" and amount < _LEAST_MEMORY:
        return None, wrong(name, text, "is less than 1Mi (m stands for thousandths)", example)
    if kind == "cpu" and amount > _MOST_CPU:
        return None, wrong(name, text, "is in cores and more than a node has", example)
    return amount, None
