# SPDX-License-Identifier: MIT
"""What the client makes of answers, scripted by a server on the loopback."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.rhpds.litemaas.plugins.module_utils import _client, _retry
from ansible_collections.rhpds.litemaas.plugins.module_utils._client import ApiError, Client
from ansible_collections.rhpds.litemaas.plugins.module_utils._connection import Connection
from ansible_collections.rhpds.litemaas.plugins.module_utils._errors import LitemaasError

from .api_stand_in import Answer, Request, Server, serving

POD = {"metadata": {"name": "a"}}
BUSY = Answer(429, {"kind": "Status", "message": "busy"}, {"Retry-After": "0"})
CUT = Answer(0)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_retry, "FIRST_DELAY", 0.001)


def client(server: Server, **options: Any) -> Client:
    return Client(Connection(host=server.url, source="the test"), **options)


@pytest.mark.parametrize(
    "fault",
    [BUSY, CUT, *(Answer(status, {"message": "x"}) for status in (500, 502, 503, 504))],
    ids=lambda answer: str(answer.status),
)
def test_passing_faults_are_overcome(fault: Answer) -> None:
    with serving(Answer(200, {"items": []}), fault, fault, Answer(200, POD)) as server:
        ours = client(server)
        ours.get("/api/v1/pods")
        assert ours.get("/x") == POD
        assert len(server.requests) == 4


def test_a_lost_first_answer_is_overcome_too() -> None:
    with serving(CUT, Answer(200, POD)) as server:
        assert client(server).get("/x") == POD


def test_tries_are_counted_and_bounded() -> None:
    with serving(Answer(500, {"message": "boom"})) as server:
        ours = client(server, retries=3)
        with pytest.raises(ApiError, match=r"500 to GET /x: boom \(tried 4 times\)") as caught:
            ours.get("/x")
        assert caught.value.status == 500 and len(server.requests) == 4
        # After one request in vain the next ones do not wait for nothing all over again.
        with pytest.raises(ApiError):
            ours.get("/y")
        assert len(server.requests) == 5
        server.answers = [Answer(200, POD), Answer(500), Answer(200, POD)]
        ours.get("/z")
        assert ours.get("/x") == POD


def test_time_is_bounded() -> None:
    with serving(Answer(429, {}, {"Retry-After": "3600"})) as server:
        began = time.monotonic()
        with pytest.raises(ApiError, match="answered 429"):
            client(server).get("/x")
        assert time.monotonic() - began < 5


def test_retry_after_is_honoured() -> None:
    with serving(Answer(503, {}, {"Retry-After": "1"}), Answer(200, POD)) as server:
        began = time.monotonic()
        client(server).get("/x")
        assert time.monotonic() - began >= 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422])
def test_refusals_are_final(status: int) -> None:
    with serving(Answer(status, {"message": "no", "reason": "Because"})) as server:
        with pytest.raises(ApiError) as caught:
            client(server).get("/x")
        assert (caught.value.status, caught.value.reason) == (status, "Because")
        assert len(server.requests) == 1


def test_absent_is_none() -> None:
    with serving(Answer(404, {"message": "no"})) as server:
        assert client(server).find("/x") is None
        assert client(server).delete("/x") is None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(302, b"", {"Location": "/login"}),
        Answer(200, b"<html>log in</html>"),
        Answer(200, b""),
    ],
    ids=["redirection", "page", "nothing"],
)
def test_a_console_is_no_api_server(answer: Answer) -> None:
    with serving(answer) as server, pytest.raises(ApiError, match="not as a Kubernetes API server"):
        client(server).list("/api/v1/pods")


def test_a_list_is_read_in_pages() -> None:
    def page(names: str, token: str = "") -> Answer:
        items = [{"metadata": {"name": name}} for name in names]
        metadata = {"continue": token} if token else {}
        body = {"apiVersion": "v1", "kind": "PodList", "metadata": metadata, "items": items}
        return Answer(200, body)

    with serving(page("ab", "t/1"), page("cd", "t2"), page("e")) as server:
        found = client(server).list("/api/v1/pods", label_selector="a=b,c", field_selector="f=g")
        assert "".join(item["metadata"]["name"] for item in found) == "abcde"
        assert {(item["apiVersion"], item["kind"]) for item in found} == {("v1", "Pod")}
        first, second, third = (request.path for request in server.requests)
        assert first == "/api/v1/pods?limit=500&labelSelector=a%3Db%2Cc&fieldSelector=f%3Dg"
        assert second.endswith("&continue=t%2F1") and third.endswith("&continue=t2")

    gone = Answer(410, {"message": "expired", "reason": "Expired"})
    with serving(page("ab", "t1"), gone, page("abc")) as server:
        found = client(server).list("/api/v1/pods")
        assert "limit" not in server.requests[2].path
        assert {item["metadata"]["name"] for item in found} == set("abc")


def test_metadata_alone_keeps_secrets_at_home() -> None:
    with serving(Answer(200, {"items": [], "kind": "PartialObjectMetadataList"})) as server:
        client(server).list("/api/v1/secrets", metadata=True)
        assert "as=PartialObjectMetadataList" in server.requests[0].headers["Accept"]


def test_apply_and_delete_say_what_they_mean() -> None:
    with serving(Answer(201, POD)) as server:
        ours = client(server)
        assert ours.apply("/p", {"a": 1}, field_manager="me", dry_run=True) == (201, POD)
        ours.delete("/p", uid="u", propagation="Foreground")
        ours.delete("/p", dry_run=True)
        applied, deleted, rehearsed = server.requests
        assert applied.method == "PATCH" and applied.body == {"a": 1}
        assert applied.headers["Content-Type"] == "application/apply-patch+yaml"
        query = "fieldManager=me&fieldValidation=Strict&force=true&dryRun=All"
        assert applied.path == f"/p?{query}"
        assert deleted.body["preconditions"] == {"uid": "u"}
        assert deleted.body["propagationPolicy"] == "Foreground"
        assert "dryRun" not in deleted.body and "?" not in deleted.path
        # In the query alone it would be ignored, and the object deleted.
        assert rehearsed.body["dryRun"] == ["All"] and rehearsed.path == "/p?dryRun=All"


def test_headers() -> None:
    headers = (
        ("Authorization", "Bearer t"),
        ("Impersonate-Group", "a"),
        ("Impersonate-Group", "b"),
    )
    with serving() as server:
        ours = Client(Connection(host=server.url, source="the test", headers=headers))
        ours.get("/x")
        ours.get("/x")
        for request in server.requests:
            assert request.headers["Authorization"] == "Bearer t"
            assert request.groups == ["a", "b"]


def test_text_is_not_json() -> None:
    with serving(Answer(200, b"line\n\xff")) as server:
        assert client(server).text("/log", tailLines=5, previous=True) == "line\n\ufffd"
        assert server.requests[0].path == "/log?tailLines=5&previous=true"


def test_an_expired_token_is_read_again_once() -> None:
    with serving(Answer(401, {}), Answer(200, POD)) as server:
        fresh = Connection(host=server.url, source="s", headers=(("Authorization", "Bearer new"),))
        old = replace(fresh, headers=(("Authorization", "Bearer old"),), reload=lambda: fresh)
        assert Client(old).get("/x") == POD
        sent = [request.headers["Authorization"] for request in server.requests]
        assert sent == ["Bearer old", "Bearer new"]

        server.answers = [Answer(401, {})]
        with pytest.raises(ApiError, match="does not accept the credentials"):
            Client(replace(old, reload=lambda: old)).get("/x")
        assert len(server.requests) == 3


def test_an_expired_token_is_read_once_for_all_threads() -> None:
    reads = []

    def answer(request: Request) -> Answer:
        accepted = request.headers["Authorization"] == "Bearer new"
        return Answer(200, POD) if accepted else Answer(401, {})

    with serving(answer) as server:
        fresh = Connection(host=server.url, source="s", headers=(("Authorization", "Bearer new"),))

        def reload() -> Connection:
            reads.append(1)
            return fresh

        old = replace(fresh, headers=(("Authorization", "Bearer old"),), reload=reload)
        barrier = threading.Barrier(8)
        ours = Client(old)

        def ask(_number: int) -> Any:
            barrier.wait(5)
            return ours.get("/x")

        results = ours.each(ask, range(8), threads=8)
        assert len(reads) == 1
        assert all(result == POD for result in results)


def test_each_keeps_the_order_and_the_failures() -> None:
    with serving() as server:
        ours = client(server)

        def half(number: int) -> float:
            time.sleep(0.001 * (10 - number))
            if number == 3:
                raise LitemaasError("three")
            return number / 2

        results = ours.each(half, range(10))
        assert [*results[:3], *results[4:]] == [n / 2 for n in range(10) if n != 3]
        assert str(results[3]) == "three"
        assert ours.each(half, []) == []
        with pytest.raises(ZeroDivisionError):
            ours.each(lambda number: 1 / number, [1, 0])


def test_an_unreachable_server_is_said_at_once() -> None:
    with serving() as server:
        url = server.url
    began = time.monotonic()
    with pytest.raises(ApiError, match=f"{url} cannot be reached: Connection refused") as caught:
        Client(Connection(host=url, source="K8S_AUTH_HOST")).get("/x")
    assert "comes from K8S_AUTH_HOST" in str(caught.value)
    assert caught.value.status == 0 and time.monotonic() - began < 2


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "urllib3", None)
    with pytest.raises(LitemaasError, match="package urllib3 is missing"):
        _client.connect({"host": "https://x", "api_key": "y"})


@pytest.mark.parametrize("option", ["ca_cert", "client_cert"])
def test_a_missing_certificate_is_named(option: str) -> None:
    connection = Connection(host="https://x", source="K8S_AUTH_HOST", **{option: "/no/such/file"})  # type: ignore[arg-type]
    with pytest.raises(LitemaasError, match="/no/such/file .*K8S_AUTH_HOST"):
        Client(connection)
