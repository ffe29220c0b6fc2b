"""The same pipeline over files: at full speed, without server, state or webhooks."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from driftwatch.daemon.event_files import Compare, decoded_lines, split_by_form
from driftwatch.daemon.first_part import FirstPart, LearntWatch
from driftwatch.daemon.label_files import PARTITION, LabelFiles
from driftwatch.daemon.merging import Item, merged
from driftwatch.daemon.watch import Watch
from driftwatch.evaluation.alerts import Transition
from driftwatch.evaluation.outcome import Outcome
from driftwatch.evaluation.report import Report
from driftwatch.quality.pending import WindowKey
from driftwatch.quality.quality import Quality
from driftwatch.quality.standing import EXPIRED_UNLABELLED, FOUND, UNMATCHED
from driftwatch.sources import tables
from driftwatch.stream.batch import Labels
from driftwatch.stream.control import Controls
from driftwatch.stream.raw import Stream
from driftwatch.stream.reject import Reject
from driftwatch.stream.schema import Task
from driftwatch.stream.tabled import forms_of, table_batch, table_controls, table_labels


@dataclass(slots=True)
class Summary:
    """What a replay came to; predictions received = learnt + accepted + late + duplicate + rejected + control.

    learnt: from which the reference has been made. control: events of golden sets, labels too. reports: of all
    revisions; windows: of each window and version one; segments: reports of their parts, beside those.
    labels: read; fate: what became of them, and unlabelled, unsampled: of predictions without one (see `_follow_up`);
    all empty where the model joins no labels.
    """

    learnt: int = 0
    accepted: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    control: int = 0
    reports: int = 0
    windows: int = 0
    segments: int = 0
    transitions: list[Transition] = field(default_factory=list)
    labels: int = 0
    labels_rejected: dict[str, int] = field(default_factory=dict)
    fate: Mapping[str, int] = field(default_factory=dict)
    unlabelled: int = 0
    unsampled: int = 0

    def refuse(self, reason: Reject, count: int = 1) -> None:
        """Count predictions that could not be used."""
        self.rejected[reason.value] = self.rejected.get(reason.value, 0) + count

    def refuse_label(self, reason: Reject, count: int) -> None:
        """Count labels that could not be used."""
        if count:
            self.labels_rejected[reason.value] = self.labels_rejected.get(reason.value, 0) + count


def replay(
    watch: Watch,
    patterns: Sequence[str],
    *,
    labels: Sequence[str] = (),
    now_ms: int,
    report: Callable[[Report], None],
    closed: Callable[[Outcome, Collection[WindowKey]], None] = lambda *_: None,
) -> Summary:
    """Feed files to a new monitor of one model, and report every window, also the last one, which the end closes.

    Event files (JSON lines with a `model`) go through decode, tables straight into columns. labels: files that hold
    labels; without any, those that stand in tables of predictions count. now_ms: the time of receipt, against which
    events from the future are judged. report: told of each report as it is made, revisions too. closed: told after
    reports what they came of, and which windows may still be reported again. What a
    LearntWatch has learnt from is not judged. DataError when a file cannot be read.
    """
    nothing = FirstPart(0, None, np.zeros(0, dtype=np.uint64))
    first = replace(watch.first) if isinstance(watch, LearntWatch) else nothing
    predictions = tables.find(patterns)
    label_files = LabelFiles.find(watch, labels, now_ms=now_ms)
    monitor, summary = watch.monitor(), Summary()

    def tell(outcome: Outcome) -> None:
        summary.accepted += outcome.accepted
        summary.late += outcome.late
        summary.duplicate += outcome.duplicate
        whole = [line for line in outcome.reports if not line.segment]
        summary.reports += len(whole)
        summary.windows += sum(line.revision == 1 for line in whole)
        summary.segments += len(outcome.reports) - len(whole)
        summary.transitions += outcome.transitions
        for line in outcome.reports:
            report(line)
        if outcome.reports:
            closed(outcome, monitor.memory.revisions.keys())

    def compare(some: Iterable[Controls]) -> None:
        for controls in some:
            summary.control += controls.rows.rows
            tell(monitor.compare(controls))

    timed, timeless = label_files.read(summary.refuse_label, compare)
    read = read_predictions(watch, predictions, summary, now_ms=now_ms, own=not labels, compare=compare)
    for part in merged(read, timed, timeless=timeless, window=watch.spec.window):
        if isinstance(part, Labels):
            summary.labels += part.rows
            others = first.other_labels(part)
            if others.rows:
                monitor.label(others, received_ms=now_ms)
        else:
            tell(monitor.feed(first.rest(part), received_ms=now_ms))
    tell(monitor.finish())
    summary.learnt, summary.late = first.learnt, summary.late + first.late
    if monitor.quality is not None:
        _follow_up(monitor.quality, summary, learnt=first.labels)
    return summary


def _follow_up(quality: Quality, summary: Summary, *, learnt: int) -> None:
    """Tell what labels came to, and how many predictions have none, now that no more of either come.

    unmatched: labels of no prediction that is remembered. unsampled: labels, or predictions, that were left out because
    there were more predictions than are remembered. learnt: labels of predictions that were learnt from.
    """
    results, join = quality.standing.results, quality.join
    summary.fate = {
        "learnt": learnt,
        "joined": results["matched"] + results[FOUND],
        "duplicate": results["duplicate"],
        "corrected": results["corrected"],
        "outdated": results["outdated"],
        "cancelled": results["cancelled"],
        "unmatched": results[UNMATCHED] + results["crowded_out"] + join.waiting_labels,
        "unsampled": results["sampled_out"] + results["thinned_labels"],
    }
    waiting = sum(total.waiting for total in join.totals().values())
    summary.unlabelled = results[EXPIRED_UNLABELLED] + waiting
    summary.unsampled = results["thinned"]


def read_predictions(
    watch: Watch, files: Sequence[Path], summary: Summary, *, now_ms: int, own: bool, compare: Compare
) -> Iterator[Item]:
    """Read predictions of all files, events first; own: also the labels in tables. compare: told of golden sets."""
    schema, form = watch.schema, watch.output_form
    events, flat = split_by_form(files)
    for decoded in decoded_lines(watch, events, Stream.PREDICTIONS, now_ms=now_ms):
        for rejection in decoded.rejected:
            summary.refuse(rejection.reason)
        compare(some for parts in decoded.controls.values() for some in parts)
        yield from ((batch, None) for batch in decoded.batches.values())
    own = own and schema.task is not Task.NONE
    for chunk in tables.read(flat, forms_of(schema, form, labels=own)):
        batch, refused = table_batch(chunk, schema, partition="files/predictions", form=form)
        compare(table_controls(chunk, schema, form=form))
        for reason, count in refused.items():
            summary.refuse(reason, count)
        labels = None
        if own and schema.fields.label in chunk.columns:
            labels, refused = table_labels(chunk, schema, partition=PARTITION, form=form)
            # All other reasons have been given for the row's prediction, too.
            summary.refuse_label(Reject.BAD_LABEL, refused.get(Reject.BAD_LABEL, 0))
            compare(table_controls(chunk, schema, form=form, labels=True))
        yield batch, labels
