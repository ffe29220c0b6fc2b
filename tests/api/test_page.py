"""The status page."""

from html.parser import HTMLParser

from driftwatch.ports.answers import Page

EVIL = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would understand them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def read(service) -> Reader:
    answer = service.get("/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    reader = Reader()
    reader.feed(answer.text)
    return reader


def test_an_empty_service_has_a_page(service):
    """Before the first window there is nothing to show, and that is said."""
    reader = read(service)

    assert reader.texts.count("None.") == 3
    assert "Ready." in reader.texts
    assert {"fraud", "price"} <= set(reader.texts)


def test_windows_and_alerts_are_shown(service):
    """With the column that drifted most, and why the service is not ready."""
    service.overview.readiness = (False, "kafka: no broker answers")
    readings = [
        {"column": "amount", "statistic": "js", "value": 0.25},
        {"column": "age", "statistic": "js", "value": None},
        {"column": "city", "statistic": "js", "value": 0.125},
        {"column": "city", "statistic": "chi2", "value": 900.0},
    ]
    window = {"start": "2026-01-05T10:00:00Z", "end": "2026-01-05T11:00:00Z", "rows": 5000}
    report = {"model": "fraud", "version": "7", "segment": "", "window": window, "readings": readings}
    service.history.pages["reports"] = Page([report, {**report, "readings": []}], "")
    service.history.pages["alerts"] = Page([{"state": "firing", "model": "fraud", "column": "amount"}], "")

    reader = read(service)

    assert "Not ready: kafka: no broker answers" in reader.texts
    assert "amount (js 0.250)" in reader.texts
    assert "5000" in reader.texts
    assert ("class", "firing") in reader.attributes
    assert [query.segment for what, query in service.history.queries if what == "reports"] == [""], "no segments"


def test_nothing_on_it_can_run(service):
    """Whatever a model, a column or a reason is called, it stays text; the policy forbids scripts besides."""
    service.overview.listed = [{"name": EVIL, "task": EVIL}]
    service.overview.readiness = (False, EVIL)
    service.history.pages["alerts"] = Page([{"state": EVIL, "model": EVIL, "column": EVIL, "reason": EVIL}], "")

    reader = read(service)

    assert "script" not in reader.tags
    assert not any(name.startswith("on") for name, _ in reader.attributes)
    assert "".join(reader.texts).count(EVIL) == 7
    assert service.get("/").headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_how_long_incidents_take_is_told(service):
    """In words below the incidents, by model; nothing of a model that had none, and names stay text."""
    times = ["mean time to recovery 2 h 10 min (3 incidents)", "time to deploy 1 h 5 min (4 incidents)"]
    service.overview.incidents = {"fraud": {"summary": times}, "price": {"summary": []}, EVIL: {"summary": times}}

    reader = read(service)

    assert "fraud: " + ", ".join(times) in reader.texts
    assert not any(text.startswith("price: ") for text in reader.texts)
    assert "script" not in reader.tags
    assert EVIL in "".join(reader.texts)
