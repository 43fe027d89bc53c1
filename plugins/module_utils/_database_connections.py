# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many connections an instance's database must give, against how many it gives.

Internal to rhpds.litemaas: no stable interface for other collections.

PostgreSQL refuses the connection beyond its last, and the gateway that wanted it answers 500: an
error that comes with load, or in the middle of a rollout. So it is counted before the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.rhpds.litemaas.plugins.module_utils import (
    _application,
    _extra,
    _settings,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import (
    Problem,
    variable,
    wrong,
)
from ansible_collections.rhpds.litemaas.plugins.module_utils._settings import Settings

# LiteLLM's own number where it is not told one (`database_connection_pool_limit`).
DEFAULT_POOL = 10
# A pool for each process that serves. One a pod: two need twice the memory and bring less than a
# second pod.
WORKERS = 1
# While pods are replaced there is one more (maxSurge).
SURGE = 1
# The one that migrates with the one that holds its lock, and a pod that waits for it.
MIGRATION = 3
# pg_dump and whoever looks on.
BACKUP = 2
# PostgreSQL keeps these for its superuser (`superuser_reserved_connections`).
RESERVED = 3
LEAST_POOL = 2
# Of PgBouncer's clients: whoever looks on, besides the gateway's pods and those that wait to start.
LOOKERS_ON = 5
# Beyond, PostgreSQL's own cost for each connection counts more than what it brings.
MOST = 1000


@dataclass(frozen=True)
class Demand:
    """What an instance asks of its database at most."""

    pool: int
    """Connections of one gateway process."""
    replicas: int
    shared: int | None = None
    """Connections that PgBouncer keeps for all of them; None without it."""
    backend: int = 0
    """All that the LiteMaaS backend asks for, with its successor; 0 where there is none."""

    @property
    def gateways(self) -> int:
        """What the pods open, to the database or to PgBouncer."""
        return self.pool * WORKERS * (self.replicas + SURGE)

    @property
    def clients(self) -> int:
        """What PgBouncer must take: also from each pod that waits for a migration."""
        return self.gateways + self.replicas + SURGE + LOOKERS_ON

    @property
    def total(self) -> int:
        each, number = self._each
        return each * number + self.backend + MIGRATION + BACKUP + RESERVED

    def words(self) -> str:
        """The sum as a person adds it up."""
        pods = f"{self.pool} x ({self.replicas} pods + {SURGE} while they are replaced)"
        if self.shared is not None:
            pods = f"{self.shared} x (1 PgBouncer + {SURGE} while it is replaced)"
        backend = f"{self.backend} of the LiteMaaS backend + " if self.backend else ""
        return (
            f"{pods} + {backend}{MIGRATION} to migrate + {BACKUP} for a backup + {RESERVED} that PostgreSQL "
            f"reserves = {self.total}"
        )

    def largest_pool(self, most: int) -> int:
        """The pool, that of PgBouncer where there is one, with which *most* connections are enough."""
        return (most - self.backend - MIGRATION - BACKUP - RESERVED) // self._each[1]

    def outside(self) -> str:
        """What a database of the site's is asked for, as a person adds it up."""
        return (
            f"{self.pool} x ({self.replicas} pods + {SURGE} while they are replaced) + {MIGRATION} to "
            f"migrate = {self.gateways + MIGRATION}"
        )

    @property
    def _each(self) -> tuple[int, int]:
        """The size of a pool of connections to the database, and how many such pools there may be."""
        if self.shared is not None:
            return self.shared, 1 + SURGE
        return self.pool, WORKERS * (self.replicas + SURGE)


def demand(settings: Settings) -> Demand:
    """What these settings come to."""
    most = max(settings["litellm"]["replicas"], _extra.most_replicas(settings))
    pgbouncer = settings["pgbouncer"] if "pgbouncer" in _settings.parts(settings) else None
    shared = pgbouncer["pool_size"] if pgbouncer else None
    pool = settings["litellm"]["database_connections"]
    return Demand(pool, most, shared, _application.connections(settings))


def problems(settings: Settings) -> Iterator[Problem]:
    """What cannot work of the two numbers, each by itself and together."""
    pool, most = (
        settings["litellm"]["database_connections"],
        settings["postgres"]["max_connections"],
    )
    pool_name = variable("litellm", "database_connections")
    most_name = variable("postgres", "max_connections")
    if pool < LEAST_POOL:
        remedy = f"LiteLLM's own number is {DEFAULT_POOL}."
        yield wrong(pool_name, pool, f"must be {LEAST_POOL} or more", remedy)
        return
    if settings["database_secret"]:
        return  # how many it gives is not for us to see
    if most > MOST:
        remedy = f"Lower {pool_name}, with which fewer are enough."
        yield wrong(most_name, most, f"must be {MOST} at most", remedy)
        return
    asked = demand(settings)
    who = "the gateway"
    if asked.shared is not None:
        pool_name, who = variable("pgbouncer", "pool_size"), "PgBouncer"
        if asked.shared < LEAST_POOL:
            remedy = "PgBouncer's own number is 20."
            yield wrong(pool_name, asked.shared, f"must be {LEAST_POOL} or more", remedy)
            return
    if asked.total > most:
        fits = asked.largest_pool(most)
        lower = f", or {pool_name} to {fits}" if fits >= LEAST_POOL else ""
        yield wrong(
            most_name,
            most,
            f"is less than {who} may ask for: {asked.words()}",
            f"Set it to {asked.total}{lower}.{_sharing(asked, most)}",
        )


def _sharing(asked: Demand, most: int) -> str:
    """That PgBouncer would do, where the pods would have to do with less than LiteLLM's own number."""
    shared = Demand(asked.pool, asked.replicas, LEAST_POOL).largest_pool(most)
    if asked.shared is not None or shared < LEAST_POOL:
        return ""
    pool, deploy = variable("pgbouncer", "pool_size"), variable("deploy_pgbouncer")
    return f" Or set {deploy} to true and {pool} to {shared} at most: the pods share those."
