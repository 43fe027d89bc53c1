# SPDX-License-Identifier: MIT
"""User info: what is merged, what is printed, and files that survive everything."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.rhpds.litemaas.plugins.module_utils import _user_info, _user_info_file
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError


class TaggedStr(str):
    """Text with an origin, as ansible-core 2.19 and later hand it over."""

    def __str__(self) -> str:
        return self  # like theirs: str() alone does not make it plain

    def __repr__(self) -> str:
        return f"Tagged({super().__repr__()})"


class TaggedDict(dict):  # type: ignore[type-arg]
    """A mapping with an origin."""


def write(folder: Path, **arguments: Any) -> bool:
    told = _user_info.entry(arguments)
    return _user_info_file.write(str(folder), "provision", told)


def load(folder: Path, name: str) -> Any:
    return yaml.safe_load((folder / f"provision-user-{name}.yaml").read_text())


@pytest.mark.parametrize(
    ("arguments", "result"),
    [
        ({"msg": "hello"}, {"msg": "user.info: hello"}),
        ({"msg": ["a", "b"]}, {"msg": ["user.info: a", "user.info: b"]}),
        ({"msg": ["only"]}, {"msg": ["user.info: only"]}),
        ({"msg": 7}, {"msg": "user.info: 7"}),
        ({"msg": "hello", "user": "user1"}, {"msg": "hello", "user": "user1"}),
        ({"body": "text"}, {"msg": "user.body: text"}),
        ({"body": "text", "user": "user1"}, {"user": "user1"}),
        ({"data": {"a": 1}}, {"data": {"a": 1}}),
        ({"data": {"a": 1}, "data_prefix": "hub_"}, {"data": {"a": 1}}),
        ({"msg": None, "body": None, "data": None}, {}),
    ],
)
def test_result(arguments: dict[str, Any], result: dict[str, Any]) -> None:
    assert _user_info.entry(arguments).result() == result


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"msg": "a", "body": "b"}, "mutually exclusive"),
        ({"data": ["a"]}, "data must be a dictionary"),
        ({"data": "a"}, "data must be a dictionary"),
        ({"msg": {"a": 1}}, "msg must be text"),
        ({"body": ["a"]}, "body must be text"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(LitemaasError, match=words):
        _user_info.entry(arguments)


def test_values_with_an_origin_become_plain(tmp_path: Path) -> None:
    data = TaggedDict(
        {TaggedStr("url"): TaggedStr("https://x"), "n": 7, "yes": True, "list": (TaggedStr("a"),)}
    )
    told = _user_info.entry({"user": TaggedStr("user1"), "data": data})
    assert type(told.data) is dict
    assert {type(key) for key in told.data} == {str}
    assert type(told.data["url"]) is str and type(told.data["list"][0]) is str
    for _unused in range(2):  # earlier actions crashed on their own file
        write(tmp_path, user=TaggedStr("user1"), data=data)
    assert load(tmp_path, "data") == {
        "users": {"user1": {"url": "https://x", "n": 7, "yes": True, "list": ["a"]}}
    }


def test_a_second_run_adds_nothing(tmp_path: Path) -> None:
    calls: list[dict[str, Any]] = [
        {"msg": "hello"},
        {"msg": ["a", "", "b", "", "c"]},
        {"body": "Dear user,\n\nwelcome"},
        {"data": {"url": "https://x", "password": "p@s: #{}'\"é"}},
        {"user": "user1", "msg": ["one", "two"], "data": {"litemaas_url": "https://1"}},
        {"user": "user1", "body": "text"},
        {"user": "user2", "data": {"litemaas_url": "https://2"}},
    ]
    assert [write(tmp_path, **call) for call in calls] == [True] * len(calls)
    first = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert [write(tmp_path, **call) for call in calls] == [False] * len(calls)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == first
    assert load(tmp_path, "info") == ["hello", "a", "", "b", "", "c"]
    assert load(tmp_path, "body") == ["Dear user,\n\nwelcome"]
    assert load(tmp_path, "data") == {
        "url": "https://x",
        "password": "p@s: #{}'\"é",
        "users": {
            "user1": {"litemaas_url": "https://1", "msg": "one\ntwo", "body": "text"},
            "user2": {"litemaas_url": "https://2"},
        },
    }
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_a_run_with_another_message_adds_just_that(tmp_path: Path) -> None:
    write(tmp_path, msg=["url", "", "password: old"])
    write(tmp_path, msg=["url", "", "password: new"])
    assert load(tmp_path, "info") == ["url", "", "password: old", "", "password: new"]
    write(tmp_path, user="user1", msg="one")
    write(tmp_path, user="user1", msg=["one", "two"])
    assert load(tmp_path, "data")["users"]["user1"]["msg"] == "one\ntwo"


def test_what_others_told_is_kept(tmp_path: Path) -> None:
    info = tmp_path / "provision-user-info.yaml"
    info.write_text('# theirs\n- "console: x"\n- two\n  lines')
    data = tmp_path / "provision-user-data.yaml"
    data.write_text("---\nconsole: x\nusers:\n  user1: {password: secret, url: old}\n  user9: {}\n")
    write(tmp_path, msg="ours")
    write(tmp_path, user="user1", data={"url": "new"})
    write(tmp_path, data={"ours": 1})
    assert info.read_text() == '# theirs\n- "console: x"\n- two\n  lines\n- "ours"\n'
    assert load(tmp_path, "data") == {
        "console": "x",
        "ours": 1,
        "users": {"user1": {"password": "secret", "url": "new"}, "user9": {}},
    }
    write(tmp_path, data={"users": {"user9": {"url": "nine"}}})
    assert load(tmp_path, "data")["users"]["user1"] == {"password": "secret", "url": "new"}
    assert load(tmp_path, "data")["users"]["user9"] == {"url": "nine"}


def test_the_prefix_goes_into_the_file(tmp_path: Path) -> None:
    write(tmp_path, data={"url": "x"}, data_prefix="hub_")
    write(tmp_path, data={"url": "x"}, data_prefix="hub_", user="user1")
    assert load(tmp_path, "data") == {"hub_url": "x", "users": {"user1": {"hub_url": "x"}}}


def test_a_user_written_as_one_string_is_repaired(tmp_path: Path) -> None:
    data = tmp_path / "provision-user-data.yaml"
    data.write_text("""users:\n  user1: "{'litemaas_url': 'https://1', 'n': 1}"\n""")
    write(tmp_path, user="user1", data={"n": 2})
    assert load(tmp_path, "data") == {"users": {"user1": {"litemaas_url": "https://1", "n": 2}}}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("info", "a: mapping"),
        ("info", "- [broken"),
        ("data", "- a list"),
        ("data", "users: text"),
        ("data", "users: {user1: text}"),
        ("data", "{broken"),
        ("data", b"\xff\xfe\x00"),
    ],
)
def test_a_file_of_another_kind_is_left_alone(tmp_path: Path, name: str, text: Any) -> None:
    path = tmp_path / f"provision-user-{name}.yaml"
    content = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(content)
    with pytest.raises(LitemaasError, match=f"{name}.yaml is not what user info looks like"):
        write(tmp_path, user="user1" if name == "data" else "", msg="x")
    assert path.read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_check_mode_makes_not_even_the_folder(tmp_path: Path) -> None:
    told = _user_info.entry({"msg": "hello", "data": {"a": 1}})
    missing = tmp_path / "new"
    assert _user_info_file.write(str(missing), "provision", told, dry_run=True)
    assert not missing.exists()
    assert _user_info_file.write(str(missing), "provision", told)
    assert not _user_info_file.write(str(missing), "provision", told, dry_run=True)


def test_nothing_told_writes_nothing(tmp_path: Path) -> None:
    assert not write(tmp_path)
    assert not list(tmp_path.iterdir())
    assert write(tmp_path, user="user1")  # known, and without data yet
    assert load(tmp_path, "data") == {"users": {"user1": {}}}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere" / "data.yaml"
    target.parent.mkdir()
    folder = tmp_path / "output"
    folder.mkdir()
    (folder / "provision-user-data.yaml").symlink_to(target)
    write(folder, data={"a": 1})
    assert (folder / "provision-user-data.yaml").is_symlink()
    assert yaml.safe_load(target.read_text()) == {"a": 1}


@pytest.mark.parametrize("action", ["", "../evil", "a/b"])
def test_an_action_that_is_no_word_is_refused(tmp_path: Path, action: str) -> None:
    with pytest.raises(LitemaasError, match="ACTION must be a plain word"):
        _user_info_file.write(str(tmp_path), action, _user_info.entry({"msg": "x"}))


def test_a_folder_that_cannot_be_made_says_what_to_set(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LitemaasError, match="Set output_dir"):
        write(tmp_path / "file" / "folder", msg="x")


def _one_of_many(folder: str, number: int) -> None:
    write(Path(folder), user=f"user{number}", data={"n": number}, msg="x")
    write(Path(folder), msg=f"message {number}")


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [
        context.Process(target=_one_of_many, args=(str(tmp_path), number)) for number in range(16)
    ]
    for process in writers:
        process.start()
    for process in writers:
        process.join(60)
    assert {process.exitcode for process in writers} == {0}
    assert len(load(tmp_path, "data")["users"]) == len(load(tmp_path, "info")) == 16
    assert sorted(os.listdir(tmp_path)) == [
        "provision-user-data.yaml",
        "provision-user-info.yaml",
    ]
