"""The events of one seed: good, late, future, malformed, sent twice; in records as producers pack them."""

import json
from dataclasses import dataclass
from random import Random

from tests.simulation.chance import Clock, Mode, Plan, Trace
from tests.simulation.models import AMOUNTS, COUNTRIES, FRAUD, SPAM, START_MS

_STEP_MS = 700
_PHASE = 30
"""After so many events the data drift, and after as many again they are back."""


@dataclass(frozen=True, slots=True)
class Event:
    """What the oracle must know of one event. time_ms: None where the record's own time stands in.

    label: what turned out to be true, None for never; of a prediction, the class that was predicted.
    """

    model: str
    id: str | None
    version: str
    time_ms: int | None
    bad: bool = False
    label: int | None = None


class Producer:
    """Makes records, and remembers which events each of them holds."""

    def __init__(self, plan: Plan, dice: Random, *, clock: Clock, trace: Trace) -> None:
        self._plan, self._dice, self._clock, self._trace = plan, dice, clock, trace
        self._made: list[tuple[str, Event]] = []
        self._labels: list[tuple[str, Event]] = []
        self.events: dict[bytes, tuple[Event, ...]] = {}
        self.count = self.labelled = 0

    def predictions(self) -> bytes:
        """A record of one prediction or of several."""
        several = 1 if self._dice.random() < 0.75 else self._dice.randint(2, 5)
        pairs = [self._prediction() for _ in range(several)]
        if not any(text.endswith("}") for text, _ in pairs):  # broken lines alone could as well be one broken object
            pairs, several = pairs[:1], 1
        texts = [text for text, _ in pairs]
        if several == 1:
            body = texts[0]
        elif any(event.bad for _, event in pairs) or self._dice.random() < 0.5:
            body = "\n".join(texts)
        else:
            body = f"[{', '.join(texts)}]"
        return self._keep(body, tuple(event for _, event in pairs))

    def labels(self) -> bytes:
        """A record of one label: of a prediction that was made or will be, again, otherwise, or of none."""
        dice, luck = self._dice, self._dice.random()
        if luck < 0.15 and self._labels:
            self._trace.fault("label sent twice")
            text, event = dice.choice(self._labels[-10:])
            return self._keep(text, (event,))
        self.labelled += 1
        if luck < 0.25:
            self._trace.fault("malformed event")
            event = Event(FRAUD, f"l{self.labelled}", "", self._now_ms(), bad=True)
        else:
            event = Event(FRAUD, self._whose(), "", self._now_ms() - dice.choice([0, 0, 3_000]), label=self._outcome())
        document = {"model": FRAUD, "id": event.id, "time": event.time_ms} | (
            {} if event.bad else {"label": event.label}
        )
        made = json.dumps(document), event
        if not event.bad:
            self._labels.append(made)
        return self._keep(made[0], (event,))

    def _whose(self) -> str:
        dice, luck = self._dice, self._dice.random()
        mine = [event.id for _, event in self._made if event.model == FRAUD]
        if luck < 0.2 and self._labels:
            self._trace.fault("label corrected")
            return dice.choice(self._labels[-10:])[1].id or ""
        if luck < 0.3 or not mine:
            self._trace.fault("label before its prediction")
            return f"e{self.count + dice.randint(1, 5)}"
        return dice.choice(mine[-30:]) or ""

    def _outcome(self) -> int | None:
        if self._dice.random() < 0.1:
            self._trace.fault("label that will never come")
            return None
        return self._dice.randint(0, 1)

    def _keep(self, body: str, events: tuple[Event, ...]) -> bytes:
        record = body.encode()
        self.events[record] = events
        return record

    def _prediction(self) -> tuple[str, Event]:
        self.count += 1
        luck = self._dice.random()
        if luck < 0.05:
            return self._malformed()
        if luck < 0.12 and self._made:
            self._trace.fault("event sent twice")
            return self._dice.choice(self._made[-40:])
        made = self._good()
        self._made.append(made)
        return made

    def _good(self) -> tuple[str, Event]:
        dice, number = self._dice, self.count
        model = FRAUD if dice.random() < 0.6 else SPAM
        drifted = number // _PHASE % 2 == 1
        document = {
            "model": model,
            "id": f"e{number}",
            "version": "2" if number % 5 == 0 else "1",
            "time": self._now_ms() - self._delay_ms(),
            "features": {
                "amount": 7 if drifted else dice.randrange(AMOUNTS),
                "country": "US" if drifted else dice.choice(COUNTRIES),
            },
        }
        predicted = dice.randint(0, 1) if model == FRAUD else None
        if predicted is not None:
            document["prediction"] = predicted
        if model == SPAM and self._plan.mode is not Mode.POST and dice.random() < 0.2:
            del document["id"]
        if self._plan.mode is Mode.FREE and dice.random() < 0.1:
            del document["time"]
        event = Event(model, document.get("id"), document["version"], document.get("time"), label=predicted)
        return json.dumps(document), event

    def _now_ms(self) -> int:
        return self._clock() if self._plan.mode is Mode.FREE else START_MS + self.count * _STEP_MS

    def _delay_ms(self) -> int:
        luck, keep_ms = self._dice.random(), self._plan.keep_ms
        if luck < 0.02 and self._plan.mode is Mode.FREE:
            self._trace.fault("future event")
            return -self._dice.randint(300_000, 900_000)
        if luck < 0.10:
            self._trace.fault("late event")
            return self._dice.randint(5_000, keep_ms * 2)
        return self._dice.randint(0, 5_000)

    def _malformed(self) -> tuple[str, Event]:
        self._trace.fault("malformed event")
        number = self.count
        text = self._dice.choice([
            f'{{"model": "{FRAUD}", "id": "b{number}", "time": "yesterday"}}',
            f'{{"model": "{FRAUD}", "id": "b{number}", "time": "2900-01-01T00:00:00Z"}}',
            f'{{"model": "{FRAUD}", "id": "b{number}',
            f'{{"model": "nobody", "id": "b{number}"}}',
            f'{{"id": "b{number}"}}',
            f'{{"model": "{FRAUD}", "time": {START_MS}}}',
            f'"b{number}"',
        ])  # fmt: skip
        return text, Event("", None, "", None, bad=True)
