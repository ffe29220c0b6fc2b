"""What goes wrong: one thing after the other, chosen by dice, for a given time."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from kafka import TopicPartition
from kafka.errors import KafkaError

from tests.nemesis.ensemble import Ensemble
from tests.scenarios.process import Process

MOST_PARTITIONS = 8
DEEDS = ("kill_broker", "kill_process", "stop_process", "move_leaders", "add_partition")
"""Each comes once before any comes again."""


class Nemesis:
    """Plays against a cluster and a process that reads from it; `figures` counts what it has done."""

    def __init__(self, ensemble: Ensemble, topic: str, config: Path, *, seed: int, partitions: int) -> None:
        self.figures: Counter[str] = Counter()
        self.processes = [Process(config)]
        self._ensemble, self._topic, self._config = ensemble, topic, config
        self._dice, self._partitions = random.Random(seed), partitions
        self._leaders = ensemble.wait_calm(topic)

    @property
    def process(self) -> Process:
        """The one that runs now."""
        return self.processes[-1]

    def play(self, seconds: float) -> None:
        """Do one deed after the other; at the end everything runs again."""
        self.process.port()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for deed in self._dice.sample(DEEDS, len(DEEDS)):
                if time.monotonic() < end:
                    getattr(self, f"_{deed}")()
                    self._note_moves()
                    self._wait(0.5, 2.0)

    def _kill_broker(self) -> None:
        broker = self._dice.choice(self._ensemble.brokers)
        broker.stop(kill=self._dice.random() < 0.8)
        self.figures["brokers killed"] += 1
        if self._dice.random() < 0.3:
            self._kill_process()
        self._wait(1.0, 5.0)
        broker.start()

    def _kill_process(self) -> None:
        self.process.kill()
        self.figures["process killed"] += 1
        self._wait(0.0, 1.0)
        self.processes.append(Process(self._config))
        if self._dice.random() < 0.5:
            self.process.port()

    def _stop_process(self) -> None:
        self.process.port()
        number = self.process._process.pid
        os.kill(number, signal.SIGSTOP)
        self.figures["process stopped"] += 1
        try:
            if self._dice.random() < 0.3:
                self._move_leaders()
            self._wait(2.0, 6.0)
        finally:
            os.kill(number, signal.SIGCONT)

    def _move_leaders(self) -> None:
        self._deal({number: self._dice.sample([1, 2, 3], 3) for number in range(self._partitions)})
        self.figures["leader elections asked for"] += 1

    def _add_partition(self) -> None:
        if self._partitions < MOST_PARTITIONS:
            admin = self._ensemble.admin()
            try:
                admin.create_partitions({self._topic: self._partitions + 1})
                self._partitions += 1
                self.figures["partitions added"] += 1
            except KafkaError:
                self.figures["deeds refused"] += 1
            finally:
                admin.close()

    def _deal(self, replicas: dict[int, Sequence[int]]) -> None:
        """Give every partition a new preferred leader, and let it lead."""
        admin = self._ensemble.admin()
        try:
            admin.alter_partition_reassignments(
                {TopicPartition(self._topic, number): list(each) for number, each in replicas.items()}
            )
            admin.elect_leaders(0, {self._topic: list(replicas)}, raise_errors=False)
        except KafkaError:
            self.figures["deeds refused"] += 1
        finally:
            admin.close()

    def _note_moves(self) -> None:
        leaders = self._ensemble.wait_calm(self._topic)
        self.figures["leaders moved"] += sum(
            self._leaders.get(number, leader) != leader for number, leader in leaders.items()
        )
        self._leaders = leaders

    def _wait(self, least: float, most: float) -> None:
        time.sleep(self._dice.uniform(least, most))
