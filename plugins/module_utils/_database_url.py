# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The DATABASE_URL of an instance: written, and read back.

Internal to rhpds.litemaas: no stable interface for other collections.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, unquote, urlsplit

SCHEMES = ("postgresql", "postgres")
DEFAULT_PORT = 5432
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


@dataclass(frozen=True)
class ExternalUrl:
    """A DATABASE_URL that somebody else wrote: as it is, and in parts for programs that are not Prisma."""

    text: str = field(repr=False)
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def target(self) -> tuple[str, ...]:
        """What two instances must not have in common."""
        schema = dict(self.parameters).get("schema") or "public"
        return self.host, str(self.port), self.database, schema

    def libpq(self, ca_file: str = "") -> dict[str, str]:
        """Environment of psql. *ca_file*: whom it trusts where the URL wants the server verified, else its image's CAs.

        Prisma says that with ``sslaccept=strict``, and knows none of libpq's modes that verify.
        """
        given = dict(self.parameters)
        mode = given.get("sslmode") or "prefer"
        strict = mode == "require" and given.get("sslaccept") == "strict"
        verified = strict or mode in ("verify-ca", "verify-full")
        return {
            "PGHOST": given.get("host") or self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
            "PGSSLMODE": "verify-full" if verified else mode,
            "PGSSLROOTCERT": (ca_file or "system") if verified else "",
        }


def external(text: str) -> ExternalUrl:
    """Read the DATABASE_URL of a database of the site's. ValueError says what is wrong, without any of it."""
    text = text.strip()
    encoding = "a character in its password or elsewhere is not percent-encoded"
    if not text:
        raise ValueError("it is empty")
    if any(char <= " " or char == "\x7f" for char in text):
        raise ValueError("it holds a blank or a line break")
    try:
        url = urlsplit(text)
        port = url.port or DEFAULT_PORT
    except ValueError:
        raise ValueError(encoding) from None
    if url.scheme not in SCHEMES:
        raise ValueError(f"it does not begin with {SCHEMES[0]}://")
    if "@" in url.netloc.rpartition("@")[0] or url.fragment or "/" in url.path.removeprefix("/"):
        raise ValueError(encoding)
    parts = {
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "host": url.hostname or "",
        "database": unquote(url.path.removeprefix("/")),
    }
    lacking = [name for name, part in parts.items() if not part]
    if lacking:
        raise ValueError(f"it lacks the {' and the '.join(lacking)}")
    if "," in parts["host"]:
        raise ValueError("it names several hosts, of which Prisma takes one")
    parameters = tuple(parse_qsl(url.query, keep_blank_values=True))
    return ExternalUrl(text, port=port, parameters=parameters, **parts)


def leads_elsewhere(text: str) -> bool:
    """Whether a stored DATABASE_URL is one of a database that is not the instance's own."""
    try:
        return external(text).host != ADDRESS.partition(":")[0]
    except ValueError:
        return False


def parse(text: str) -> DatabaseUrl | None:
    """Read a DATABASE_URL; None when it lacks a part or was written without percent-encoding."""
    try:
        url = urlsplit(text)
        _unused = url.port  # raises ValueError when a password's characters ended up in it
    except ValueError:
        return None
    if url.scheme not in SCHEMES or "@" in url.netloc.rpartition("@")[0]:
        return None
    user, password, database = url.username, url.password, url.path.removeprefix("/")
    if not (user and password and database) or "/" in database:
        return None
    return DatabaseUrl(unquote(user), unquote(password), unquote(database))
