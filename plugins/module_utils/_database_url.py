# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DATABASE_URL of an instance: written, and read back.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

# The Service of the database, in the same namespace, and that of PgBouncer.
ADDRESS = "postgres:5432"
POOLED_ADDRESS = "pgbouncer:6432"
# Prisma then prepares no statement that another connection would not know.
POOLED_QUERY = "pgbouncer=true"


@dataclass(frozen=True)
class DatabaseUrl:
    """The parts of a DATABASE_URL, decoded."""

    user: str
    password: str
    database: str

    def __str__(self) -> str:
        return self.at(ADDRESS)

    def pooled(self) -> str:
        """The same database through PgBouncer."""
        return f"{self.at(POOLED_ADDRESS)}?{POOLED_QUERY}"

    def at(self, address: str) -> str:
        """As URL of that host and port."""
        # quote_plus is wrong here: Prisma takes its "+" for a plus sign, not for a blank.
        user, password, database = (
            quote(part, safe="") for part in (self.user, self.password, self.database)
        )
        return f"postgresql://{user}:{password}@{address}/{database}"


def parse(text: str) -> DatabaseUrl | None:
    """Read a DATABASE_URL; None when it lacks a part or was written without percent-encoding."""
    try:
        url = urlsplit(text)
        _unused = url.port  # raises ValueError when a password's characters ended up in it
    except ValueError:
        return None
    if url.scheme not in ("postgresql", "postgres") or "@" in url.netloc.rpartition("@")[0]:
        return None
    user, password, database = url.username, url.password, url.path.removeprefix("/")
    if not (user and password and database) or "/" in database:
        return None
    return DatabaseUrl(unquote(user), unquote(password), unquote(database))
