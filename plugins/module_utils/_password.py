# Copyright (c) 2026 rhpds.litemaas contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Passwords and keys: making them, and judging those that users give.

Internal to rhpds.litemaas: no stable interface for other collections.

No message holds a value. Any character that can be typed works in a password: it is
percent-encoded in DATABASE_URL and reaches the pods from a Secret, never through a shell or a file.
"""

from __future__ import annotations

import re
import secrets
import string
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from ansible_collections.rhpds.litemaas.plugins.module_utils._problem import Problem

Kind = Literal["password", "key", "login"]
ALPHABET = string.ascii_letters + string.digits
PASSWORD_LENGTH = 24  # 142 bits
KEY_LENGTH = 40  # 238 bits, after the prefix
LOGIN_GROUPS, LOGIN_GROUP = 4, 6  # 142 bits, and signs between the groups
SHORTEST_LOGIN = 12  # characters
KEY_PREFIX = "sk-"
SHORTEST_KEY = 16  # characters, prefix included
LONGEST = 256  # characters; an identifier: PostgreSQL's 63 bytes
_KINDS = ((bool, "a boolean"), ((int, float), "a number"), (list, "a list"), (dict, "a mapping"))
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
# LiteLLM refuses to start with the key of its own documentation.
_PUBLISHED = "sk-1234"
# Roles and databases that every PostgreSQL has: the image would fail to create them.
_TAKEN = {"database_user": ("postgres",), "database_name": ("postgres", "template0", "template1")}

TEXTS = ("database_password", "ui_username", "ui_password", "salt_key", "master_key")
SECRETS = ("database_password", "ui_password", "master_key", "salt_key")
IDENTIFIERS = ("database_user", "database_name")


def generate(kind: Kind) -> str:
    """Return a new random value of letters and digits, a key with the prefix LiteLLM asks for.

    A ``login`` is the password of one of LiteLLM's own users, which asks for more: see
    :func:`login_fault`.
    """
    if kind == "login":
        text = ""
        while login_fault(text):
            text = "-".join(_random(LOGIN_GROUP) for _unused in range(LOGIN_GROUPS))
        return text
    return KEY_PREFIX + _random(KEY_LENGTH) if kind == "key" else _random(PASSWORD_LENGTH)


def login_fault(password: str) -> str:
    """What LiteLLM 1.106 refuses in the password of a user, "" where nothing."""
    wants = (
        (len(password) >= SHORTEST_LOGIN, f"{SHORTEST_LOGIN} characters"),
        (any(map(str.isupper, password)), "a capital letter"),
        (any(map(str.islower, password)), "a small letter"),
        (any(map(str.isdigit, password)), "a digit"),
        (not all(map(str.isalnum, password)), "a sign that is neither letter nor digit"),
    )
    missing = [what for there, what in wants if not there]
    return f"lacks {', '.join(missing)}" if missing else ""


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _unused in range(length))


def problems(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> list[str]:
    """Say in a sentence each what is wrong with values given by the user.

    ``values``: by option of the ``credentials`` module; absent, None and "" mean "not given".
    ``names``: what an option is called where the user sets it; by default the option's own name.
    """
    return [str(problem) for problem in check(values, names)]


def check(values: Mapping[str, Any], names: Mapping[str, str] | None = None) -> list[Problem]:
    """As ``problems``, in parts: variable, problem, remedy; never the value."""
    found = []
    for option in (*TEXTS, *IDENTIFIERS):
        value = values.get(option)
        if value is None or value == "":
            continue
        for problem, remedy in _faults(option, value):
            found.append(Problem((names or {}).get(option, option), problem, remedy))
            break  # the first fault of a value explains the others
    return found


def _faults(option: str, value: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with one value and what to do, the worst first."""
    if not isinstance(value, str):
        # YAML reads 0123 as 83 and 1e5 as a number: the password would be another than written.
        kind = next((name for types, name in _KINDS if isinstance(value, types)), "something else")
        remedy = "Put it in quotes."
        if isinstance(value, (list, dict)):
            remedy += (
                " Where it is, ansible-core before 2.19 is misled by the bracket: choose another."
            )
        yield f"must be text, and YAML reads it as {kind}", remedy
        return
    if not value.strip():
        yield "is only blanks", "Give a value, or leave it empty to keep or generate one."
        return
    place = next((n for n, char in enumerate(value, 1) if _unprintable(char)), 0)
    if place:
        what = f"holds a line break or another control character (character {place})"
        yield what, "Take it out; text read from a file often ends in a line break."
    if len(value) > LONGEST:
        yield f"has {len(value)} characters, {LONGEST} are allowed", "Give a shorter one."
    if option in IDENTIFIERS:
        yield from _identifier_faults(option, value)
    if option == "master_key":
        yield from _master_key_faults(value)
    if option == "salt_key" and len(value) < SHORTEST_KEY:
        yield f"has fewer than {SHORTEST_KEY} characters", _KEY_REMEDY.format("salt")


def _unprintable(char: str) -> bool:
    # Cc: NUL, line breaks, tabs…; Cs: half a character, which has no UTF-8 form; Zl, Zp: line ends.
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


_KEY_REMEDY = "Leave it empty to have a {} of 43 characters generated, or give a longer one."


def _master_key_faults(value: str) -> Iterator[tuple[str, str]]:
    if value == _PUBLISHED:
        yield "is the example of LiteLLM's documentation", _KEY_REMEDY.format("key")
    if not value.startswith(KEY_PREFIX):
        yield f"must begin with {KEY_PREFIX}", "LiteLLM accepts no other key."
    if not all("!" <= char <= "~" for char in value):
        # It travels in an HTTP header.
        yield "may hold only ASCII letters, digits and signs", "Take blanks and other letters out."
    if len(value) < SHORTEST_KEY:
        yield f"has fewer than {SHORTEST_KEY} characters", _KEY_REMEDY.format("key")


def _identifier_faults(option: str, value: str) -> Iterator[tuple[str, str]]:
    if not _IDENTIFIER.fullmatch(value):
        rule = "Use up to 63 letters, digits and underscores, a letter first."
        yield "is no plain PostgreSQL name", rule
    if value in _TAKEN[option]:
        yield f"cannot be {value}, which every PostgreSQL has already", "Choose another."
