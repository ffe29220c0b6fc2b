"""GET /api/v1/…: listings and their filters."""

import pytest

from driftwatch.api.query import moment_ms
from driftwatch.errors import StateError
from driftwatch.ports.answers import Page, Query

NOON_MS = 1_767_607_200_000


@pytest.mark.parametrize("listing", ["reports", "alerts", "deliveries"])
def test_a_listing_gives_a_page_and_where_the_next_begins(service, listing):
    """`next` is null on the last page."""
    service.history.pages[listing] = Page([{"id": "a"}], "more")
    first = service.get(f"/api/v1/{listing}").json()
    service.history.pages[listing] = Page([], "")
    last = service.get(f"/api/v1/{listing}", params={"cursor": first["next"]}).json()

    assert first == {"items": [{"id": "a"}], "next": "more"}
    assert last == {"items": [], "next": None}
    assert service.history.queries == [(listing, Query()), (listing, Query(cursor="more"))]


def test_all_filters_reach_the_history(service):
    """Times in milliseconds, whichever way they were written."""
    params = {
        "model": "fraud", "version": "7", "segment": "channel=web", "state": "firing", "since": "2026-01-05T10:00:00Z",
        "until": str(NOON_MS + 1), "limit": "5", "cursor": "more",
    }  # fmt: skip

    assert service.get("/api/v1/alerts", params=params).status_code == 200
    assert service.history.queries == [
        (
            "alerts",
            Query(
                "fraud", "7", "channel=web", "firing", since_ms=NOON_MS, until_ms=NOON_MS + 1, limit=5, cursor="more"
            ),
        )
    ]


def test_an_empty_version_is_not_any_version(service):
    """`version=` asks for events without one; leaving it out asks for all."""
    service.get("/api/v1/reports", params={"version": "", "segment": ""})
    service.get("/api/v1/reports")

    assert service.history.queries == [("reports", Query(version="", segment="")), ("reports", Query())]


@pytest.mark.parametrize(
    ("path", "params", "named"),
    [
        ("reports", {"modle": "fraud"}, "modle"),
        ("reports", {"limit": "0"}, "limit"),
        ("reports", {"limit": "1001"}, "limit"),
        ("reports", {"limit": "many"}, "limit"),
        ("reports", {"since": "yesterday"}, "since"),
        ("reports", {"since": "2026-01-05T10:00:00"}, "since"),
        ("reports", {"until": "99999999999999999"}, "until"),
        ("reports", {"since": "2", "until": "1"}, "since"),
        ("reports", {"cursor": "stolen"}, "stolen"),
        ("reports", {"cursor": "x" * 201}, "cursor"),
        ("alerts", {"state": "burning"}, "state"),
        ("deliveries", {"state": "firing"}, "state"),
        ("models", {"version": "7"}, "version"),
    ],
)
def test_a_bad_filter_is_refused_by_name(service, path, params, named):
    """A filter that would narrow nothing must not look as if it did."""
    answer = service.get(f"/api/v1/{path}", params=params)

    assert answer.status_code == 400
    assert named in answer.json()["error"]["message"]
    assert service.history.queries == []


def test_models_can_be_narrowed_to_one(service):
    """All of them fit on one page."""
    every, one, none = (
        service.get("/api/v1/models", params=params).json() for params in ({}, {"model": "price"}, {"model": "other"})
    )

    assert [item["name"] for item in every["items"]] == ["fraud", "price"]
    assert one == {"items": [{"name": "price", "task": "regression"}], "next": None}
    assert none == {"items": [], "next": None}


def test_the_status_is_a_page_of_one(service):
    """What is not a number is null, since JSON has no word for it."""
    assert service.get("/api/v1/status").json() == {
        "items": [{"version": "1.2.3", "lag": None, "incidents": {}}],
        "next": None,
    }


def test_a_history_that_cannot_be_read_is_said(service):
    """503, and the service goes on."""
    service.history.error = StateError("state.path: the file is damaged")

    answer = service.get("/api/v1/reports")

    assert answer.status_code == 503
    assert answer.json()["error"]["message"] == "state.path: the file is damaged"
    assert service.get("/-/healthy").status_code == 200


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("1767607200000", NOON_MS),
        ("2026-01-05T10:00:00Z", NOON_MS),
        ("2026-01-05T12:00:00.250+02:00", NOON_MS + 250),
        ("253402300799999", 253_402_300_799_999),
    ],
)
def test_moments_are_read_both_ways(text, expected):
    """RFC 3339 with an offset, or epoch milliseconds."""
    assert moment_ms(text) == expected


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "٣", "2026-01-05", "10:00Z", "253402300800000", "2026-13-01T00:00:00Z"]
)
def test_other_moments_are_refused(text):
    """A time without an offset would be a guess."""
    with pytest.raises(ValueError, match="with its offset"):
        moment_ms(text)
