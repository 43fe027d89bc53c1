# SPDX-License-Identifier: MIT
"""The layout of the data file: always the same YAML, whichever way it was written."""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _user_info_text

ODD = [
    "plain",
    "",
    " ",
    "p@s:s/w#r?d&%+=;, \"é$x'",
    "two\nlines\n",
    "\ttab",
    "yes",
    "0123",
    "1e5",
    "~",
    "{a: b}",
    "}\n  user9: {",
    "\nusers:\n",
    "\x7f\x85\x9f",
    "\u2028\u2029\ufeff",
    "日本 🎉",
    "back\\slash \\u0041 \\/",
    "x" * 3000,
]


def anything(source: random.Random, depth: int = 0) -> Any:
    kind = source.randrange(8 if depth < 2 else 6)
    if kind == 6:
        return [anything(source, depth + 1) for _unused in range(source.randrange(3))]
    if kind == 7:
        return {source.choice(ODD): anything(source, depth + 1) for _unused in range(2)}
    return [source.choice(ODD), source.choice(ODD), 7, True, None, 1e300][kind]


@pytest.mark.parametrize("seed", range(40))
def test_any_data_is_read_back_and_changed_alike(seed: int) -> None:
    source = random.Random(seed)
    data: dict[str, Any] = {source.choice(ODD): anything(source) for _unused in range(3)}
    data["users"] = {
        f"user{number}": {source.choice(ODD): anything(source) for _unused in range(3)}
        for number in range(source.randrange(4))
    }
    text = _user_info_text.dump(data)
    assert _user_info_text.load(text) == yaml.safe_load(text) == data
    for name in ("user0", "user1", "user77"):
        new = {source.choice(ODD): anything(source, 1)}
        seen: list[Any] = []

        def change(user: Any, new: Any = new, seen: list[Any] = seen) -> Any:
            seen.append(user)
            return {**(user or {}), **new}

        changed = _user_info_text.with_user(text, name, change)
        if changed is not None:
            assert seen == [data["users"].get(name)]
            wanted = {**data, "users": {**data["users"], name: change(data["users"].get(name))}}
            assert yaml.safe_load(changed) == wanted
            text, data = changed, wanted


def test_users_have_a_line_each_and_come_last() -> None:
    users = {"user1": {"b": "x", "a": 1}, "user10": {}}
    text = _user_info_text.dump({"zone": "z", "users": users, "console": "c"})
    assert text == (
        "---\nconsole: c\nzone: z\nusers:\n" '  user1: {"a": 1, "b": "x"}\n' "  user10: {}\n"
    )
    assert _user_info_text.with_user(text, "user1", lambda _user: {"c": 2}) == (
        '---\nconsole: c\nzone: z\nusers:\n  user1: {"c": 2}\n  user10: {}\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\nconsole: c\n",
        "users: {user1: {a: 1}}\n",
        "---\nusers:\n  user1:\n    a: 1\n",  # as AgnosticD's action writes it
        "---\nusers:\n    user1: {}\n",
        '---\nusers:\n  "user1": {}\n',
        "---\nusers:\n  user1: &anchor {}\n",
        "---\nusers:\n  user1: {}\nzone: z\n",
        "---\nusers:\n  user1: {}",
        "---\nusers:\n  user1: {unquoted: 1}\n",
        "---\nusers:\n  user1: {} # comment\n",
        "---\nusers:\n  user1: [1]\n",
    ],
)
def test_another_layout_is_left_to_the_parser(text: str) -> None:
    assert _user_info_text.with_user(text, "user1", lambda user: {**(user or {}), "a": 2}) is None


@pytest.mark.parametrize("name", ["yes", "user 1", "null", "1", "user", "a: b", "user1\n"])
def test_other_names_are_left_to_the_dumper(name: str) -> None:
    text = _user_info_text.dump({"users": {"user1": {}}})
    assert _user_info_text.with_user(text, name, lambda _user: {"a": 1}) is None
    data = {"users": {"user1": {"a": "b"}, name: {"a": 1}}}
    assert yaml.safe_load(_user_info_text.dump(data)) == data


@pytest.mark.parametrize("text", ODD)
def test_item(text: str) -> None:
    line = _user_info_text.item(text)
    assert line.count("\n") == 1
    assert yaml.safe_load(line) == [text]
