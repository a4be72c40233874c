"""The paths below `/_test`."""

import base64
from typing import Any

import httpx
import pytest

from scripts.mock.control import ACCEPTED, FAULTS, REJECTED, RESET, TEST
from tests.examples import EVENT, PATH, WIDGET
from tests.service import Service

NOTHING: dict[str, list[Any]] = {"interaction_events": [], "annotations": []}


def report(mock: Service, name: str = "interaction-events", **fields: object) -> httpx.Response:
    """The response to an event, or to another submission of `fields`."""
    return httpx.post(f"{mock.url}/api/v1/{name}", json=fields, headers=mock.authorization)


def test_accepted_has_what_is_stored_in_order(mock: Service) -> None:
    """The records are those that the hub reads in its own lists."""
    for number in range(3):
        report(mock, **EVENT, view_context_ref=f"page {number}")
    note = {"widget_id": WIDGET, "category": "comment", "body": "Good.", "occurred_at": EVENT["occurred_at"]}
    assert report(mock, "annotations", **note).status_code == 201
    accepted = httpx.get(mock.url + ACCEPTED).json()
    with mock.client() as client:
        assert accepted == {
            "interaction_events": client.get(PATH).json()["items"],
            "annotations": client.get("/api/v1/annotations").json()["items"],
        }
    assert [item["view_context_ref"] for item in accepted["interaction_events"]] == ["page 0", "page 1", "page 2"]
    assert [item["body"] for item in accepted["annotations"]] == ["Good."]


def test_accepted_has_all_pages(mock: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also beyond the first."""
    monkeypatch.setattr("scripts.mock.records.PAGE", 2)
    identifiers = [report(mock, **EVENT).json()["id"] for _ in range(5)]
    assert [item["id"] for item in httpx.get(mock.url + ACCEPTED).json()["interaction_events"]] == identifiers


def test_rejected_has_problems_and_contents(mock: Service) -> None:
    """A submission that was rejected, with its code, its error and what was sent."""
    refused = report(mock, **EVENT | {"event_type": "unheard_of"})
    (item,) = httpx.get(mock.url + REJECTED).json()["rejected_submissions"]
    assert (item["code"], item["error"]) == ("event_type_not_registered", refused.json()["error"])
    assert b"unheard_of" in base64.b64decode(item["content_base64"])
    assert httpx.get(mock.url + ACCEPTED).json() == NOTHING


def test_a_reset_forgets_reports_keys_and_faults(mock: Service) -> None:
    """The same `client_event_id` is new again, for the same hub with the same key."""
    httpx.post(mock.url + FAULTS, json=[{"kind": "half", "path": "/api/v2"}])
    first, repeated = [report(mock, **EVENT, client_event_id="one").json()["id"] for _ in range(2)]
    report(mock)
    assert httpx.post(mock.url + RESET).status_code == 204
    assert httpx.get(mock.url + ACCEPTED).json() == NOTHING
    assert httpx.get(mock.url + REJECTED).json() == {"rejected_submissions": []}
    assert httpx.get(mock.url + FAULTS).json() == []
    with mock.client() as client:
        assert client.get("/api/v1/usage").json()["items"] == []
    assert first == repeated != report(mock, **EVENT, client_event_id="one").json()["id"]


def test_a_reset_fills_the_bucket_of_the_hub(mock: Service) -> None:
    """A hub that has exceeded its rate may send again."""
    batch: list[dict[str, str]] = [{}] * 600

    def status() -> int:
        return httpx.post(f"{mock.url}{PATH}/batch", json=batch, headers=mock.authorization).status_code

    assert [status(), status()] == [422, 429]
    httpx.post(mock.url + RESET)
    assert status() == 422


def test_faults_are_listed_in_order_with_the_times_left(mock: Service) -> None:
    """A fault is used up by the requests that it is meant for; one without an end stays."""
    faults = [
        {"kind": "status", "status": 503, "times": 2, "method": "GET", "path": "/api/"},
        {"kind": "status", "status": 500, "times": None, "path": "/api/v1/widgets"},
    ]
    assert httpx.post(mock.url + FAULTS, json=faults).json() == faults
    statuses = [httpx.get(f"{mock.url}/api/v1/widgets", headers=mock.authorization).status_code for _ in range(4)]
    assert statuses == [503, 503, 500, 500]
    assert report(mock, **EVENT).status_code == 201
    assert httpx.get(mock.url + FAULTS).json() == faults[1:]
    assert httpx.delete(mock.url + FAULTS).status_code == 204
    assert httpx.get(mock.url + FAULTS).json() == []


@pytest.mark.parametrize(
    ("faults", "error"),
    [
        ([{"kind": "half"}, {"kind": "quarter"}], "1/kind is not one of the allowed values"),
        ([{}], "0/kind is required"),
        ([{"kind": "status"}], "0/status is required"),
        ([{"kind": "status", "status": 200}], "0/status is below 400"),
        ([{"kind": "status", "status": 503, "retry_after": "1\r\nx: y"}], "0/retry_after does not match"),
        ([{"kind": "html", "status": 502, "retry_after": "1"}], "unknown field '0/retry_after'"),
        ([{"kind": "delay"}], "0/seconds is required"),
        ([{"kind": "delay", "seconds": "1"}], "0/seconds must be a number"),
        ([{"kind": "slow", "bytes_per_second": 0}], "0/bytes_per_second is below 1"),
        ([{"kind": "half", "times": 0}], "0/times is below 1"),
        ([{"kind": "half", "method": "get"}], "0/method does not match"),
        ([{"kind": "half", "path": "api"}], "0/path does not match"),
        ({"kind": "half"}, "the body must be an array"),
        ([5], "0 must be an object"),
    ],
)
def test_a_wrong_fault_is_refused_by_name(mock: Service, faults: object, error: str) -> None:
    """422 names the field and says what to do, and none of the faults is kept."""
    answer = httpx.post(mock.url + FAULTS, json=faults)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(error)
    assert answer.json()["help"]
    assert httpx.get(mock.url + FAULTS).json() == []


def test_faults_that_are_not_json_are_refused(mock: Service) -> None:
    """422, too, with the place."""
    answer = httpx.post(mock.url + FAULTS, content=b"[{")
    assert (answer.status_code, answer.json()["help"]) == (422, 'Send an array such as [{"kind": "cut_after"}].')
    assert "column 3" in answer.json()["error"]


def test_faults_do_not_concern_the_test_paths(mock: Service) -> None:
    """Otherwise a test could not end them."""
    httpx.post(mock.url + FAULTS, json=[{"kind": "cut_before", "times": None}])
    assert httpx.get(mock.url + ACCEPTED).json() == NOTHING
    assert httpx.head(mock.url + FAULTS).status_code == 200
    assert httpx.delete(mock.url + FAULTS).status_code == 204
    assert httpx.get(f"{mock.url}/health/live").status_code == 200


def test_a_wrong_test_path_is_not_found(mock: Service) -> None:
    """The error names the most similar one; a wrong method gets 405."""
    answer = httpx.get(f"{mock.url}{TEST}/acepted")
    assert (answer.status_code, answer.json()["help"].startswith("Did you mean /_test/accepted?")) == (404, True)
    assert httpx.put(mock.url + FAULTS).status_code == 405
    assert httpx.get(mock.url + TEST).status_code == 404


@pytest.mark.parametrize("path", [TEST, ACCEPTED, REJECTED, RESET, FAULTS])
def test_the_service_itself_has_no_test_paths(newest: Service, path: str) -> None:
    """They are the mock's alone."""
    assert [httpx.request(method, newest.url + path).status_code for method in ("GET", "POST", "DELETE")] == [404] * 3
