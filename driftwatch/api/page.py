"""GET /: the state of affairs for a person with a browser. Plain HTML, no script, everything escaped."""

from collections.abc import Iterable
from html import escape
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from driftwatch.ports.answers import History, Overview, Query

_ROWS = 50
_STAGES = ("final", "interim", "estimated")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_LINKS = '<p><a href="metrics">metrics</a> · <a href="api/v1/status">status</a> · <a href="openapi.json">API</a></p>'
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .75rem .25rem 0}
th,td{border-bottom:1px solid #8884}
h2{margin-top:2rem}.firing{color:#c00;font-weight:600}.pending{color:#b60}
"""


def page_routes(*, history: History, overview: Overview) -> APIRouter:
    """Make the status page."""
    router = APIRouter(include_in_schema=False)

    @router.get("/", response_class=HTMLResponse)
    def status_page() -> HTMLResponse:
        """Show models, the latest windows and the latest alerts."""
        ready, reason = overview.ready()
        parts = [
            f"<p>{'Ready.' if ready else 'Not ready: ' + escape(reason)}</p>",
            _models(overview.models()),
            _incidents(history.incidents(Query(limit=_ROWS)).items),
            _incident_times(overview.status().get("incidents", {})),
            _alerts(history.alerts(Query(limit=_ROWS)).items),
            _windows(history.reports(Query(segment="", limit=_ROWS)).items),
            _LINKS,
        ]
        return HTMLResponse(_document(parts), headers=_HEADERS)

    return router


def _document(parts: Iterable[str]) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>driftwatch</title>'
        '<meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="30">'
        f"<style>{_STYLE}</style></head><body><h1>driftwatch</h1>{''.join(parts)}</body></html>"
    )


def _models(models: list[dict[str, Any]]) -> str:
    rows = [
        (model["name"], model.get("task", ""), _coverage(model), *(_value(model, stage) for stage in _STAGES))
        for model in models
    ]
    return _table("Models", ("model", "task", "labelled", *_STAGES), rows)


def _coverage(model: dict[str, Any]) -> str:
    """Which share of the predictions has its label, by version."""
    coverage = (model.get("labels") or {}).get("coverage", {})
    return _by_version({version: f"{share:.1%}" for version, share in coverage.items()})


def _value(model: dict[str, Any], stage: str) -> str:
    """The main metric in the latest window that has it, by version."""
    return _by_version(
        {
            each["version"]: f"{each['metric']} {each['value']:.4g} ({each['lower']:.4g} to {each['upper']:.4g})"
            for each in model.get("performance", [])
            if each["stage"] == stage and not each["segment"]
        }
    )


def _by_version(texts: dict[str, str]) -> str:
    if len(texts) == 1:
        return next(iter(texts.values()))
    return ", ".join(f"{version or 'no version'}: {text}" for version, text in sorted(texts.items()))


def _alerts(alerts: list[dict[str, Any]]) -> str:
    names = ("state", "severity", "model", "version", "segment", "rule", "column", "statistic", "started", "reason")
    return _table("Latest alerts", names, [tuple(alert.get(name) for name in names) for alert in alerts])


def _incidents(incidents: list[dict[str, Any]]) -> str:
    names = ("state", "model", "version", "new_version", "detected", "requested", "deployed", "ended", "reason")
    return _table("Incidents", names, [tuple(incident.get(name) for name in names) for incident in incidents])


def _incident_times(by_model: dict[str, dict[str, Any]]) -> str:
    """The mean times to recovery and to a new version, of the models that have had an incident which got so far."""
    told = {model: ", ".join(each["summary"]) for model, each in by_model.items() if each["summary"]}
    return "".join(f"<p>{escape(model)}: {escape(words)}</p>" for model, words in told.items())


def _windows(reports: list[dict[str, Any]]) -> str:
    rows = [
        (
            report["model"],
            report["version"],
            report["window"]["start"],
            report["window"]["end"],
            report["window"]["rows"],
            _farthest(report),
        )
        for report in reports
    ]
    return _table("Latest windows", ("model", "version", "from", "to", "rows", "most drifted"), rows)


def _farthest(report: dict[str, Any]) -> str:
    """Name the column with the greatest Jensen-Shannon distance, the one statistic that all columns share."""
    distances = [
        (reading["value"], reading["column"])
        for reading in report["readings"]
        if reading["statistic"] == "js" and reading["value"] is not None
    ]
    if not distances:
        return ""
    value, column = max(distances)
    return f"{column} (js {value:.3f})"


def _table(title: str, names: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return f"<h2>{escape(title)}</h2><p>None.</p>"
    head = "".join(f"<th>{escape(name)}</th>" for name in names)
    body = "".join("<tr>" + "".join(map(_cell, row)) + "</tr>" for row in rows)
    return f"<h2>{escape(title)}</h2><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    mark = f' class="{text}"' if text in ("firing", "pending") else ""
    return f"<td{mark}>{escape(text)}</td>"
