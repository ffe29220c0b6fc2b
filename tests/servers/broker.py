"""A real Apache Kafka for tests: fetched once by Maven, started on free ports, one KRaft node, thrown away after.

`python -m tests.servers.broker install` fetches it beforehand; after that no network is needed.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

POM = Path(__file__).parent / "kafka" / "pom.xml"
CACHE = Path(__file__).resolve().parents[2] / ".cache"
START_SECONDS, STOP_SECONDS, INSTALL_SECONDS = 90.0, 40.0, 600.0
ENDED_IN_ORDER = 128 + signal.SIGTERM  # as Java says it
# A test broker lives for minutes: no time for the optimising compiler, and little memory.
JVM = ("-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
# What Java has read and verified of Kafka's classes, kept: half of a broker's start. Another Java ignores it.
CLASSES = "classes.jsa"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{broker},{secure}CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
num.network.threads=2
num.io.threads=2
background.threads=2
log.cleaner.enable=false
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""
USER, PASSWORD = "reader", "only-for-tests"
SECURITY = """\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
ssl.keystore.type=PEM
ssl.keystore.location={keystore}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.mutual.ssl.client.auth=required
"""


class Unavailable(Exception):  # noqa: N818 - a reason to skip, not an error
    """Why there is no broker on this machine."""


def install() -> Path:
    """Fetch Kafka and make it quick to start, unless that is done; the folder of its jars."""
    jars = _fetch()
    if not (jars / CLASSES).exists():
        _keep_classes(jars)
    return jars


def _keep_classes(jars: Path) -> None:
    partial = jars / f"{CLASSES}.{os.getpid()}"
    with TemporaryDirectory() as folder:
        broker = Broker(Path(folder), secure=shutil.which("openssl") is not None)
        broker.launch(f"-XX:ArchiveClassesAtExit={partial}")
        broker.wait()
        code = broker.stop()
    if code == ENDED_IN_ORDER:  # else the archive may be half written
        partial.rename(jars / CLASSES)


def _fetch() -> Path:
    jars = CACHE / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if (jars / "complete").exists():
        return jars
    maven = shutil.which("mvn")
    if maven is None:
        raise Unavailable("Kafka tests need Maven (mvn) to fetch Apache Kafka, or DRIFTWATCH_TEST_KAFKA=host:port")
    partial = jars.with_name(f"{jars.name}.{os.getpid()}")
    command = [
        maven,
        "--batch-mode",
        "--quiet",
        "--strict-checksums",
        "--file",
        str(POM),
        "dependency:copy-dependencies",
    ]
    command += ["-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode != 0:
        shutil.rmtree(partial, ignore_errors=True)
        raise Unavailable(f"Maven could not fetch Apache Kafka: {(done.stdout + done.stderr)[-2000:]}")
    (partial / "complete").touch()
    if not jars.exists():
        partial.rename(jars)
    return jars


def wait_until(true: Callable[[], bool], *, seconds: float, what: str) -> None:
    """Return once the condition holds; TimeoutError naming it when it does not in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def new_id() -> str:
    """A new name for a cluster."""
    return urlsafe_b64encode(uuid.uuid4().bytes).rstrip(b"=").decode()


class Broker:
    """One Kafka node under a folder; it can be stopped and started again on the same port with the same data.

    ports: of its clients, of those with a password over TLS, of those with a certificate, and of controllers.
    settings: more properties, which win over those above.
    """

    def __init__(
        self,
        folder: Path,
        *,
        secure: bool = False,
        ports: Sequence[int] = (),
        cluster: str = "",
        settings: Mapping[str, str] | None = None,
        heap_mb: int = 512,
    ) -> None:
        self._java = shutil.which("java") or ""
        if not self._java:
            raise Unavailable("Kafka tests need Java 17 or newer, or DRIFTWATCH_TEST_KAFKA=host:port")
        self._jars = _fetch()
        self._heap = f"-Xmx{heap_mb}m"
        self._properties, self._log = folder / "server.properties", folder / "broker.log"
        self._port, self._secure_port, self._mutual_port, controller = ports or free_ports(4)
        listeners = f"SASL_SSL://127.0.0.1:{self._secure_port},MUTUAL://127.0.0.1:{self._mutual_port},"
        text = PROPERTIES.format(
            broker=self._port, controller=controller, data=folder / "data", secure=listeners if secure else ""
        )
        text += self._secured(folder) if secure else ""
        self._properties.write_text(text)
        self.configure(settings or {})
        self._process: subprocess.Popen[bytes] | None = None
        user = ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"] if secure else []
        tool = ["kafka.tools.StorageTool", "format", f"--cluster-id={cluster or new_id()}", "-c", str(self._properties)]
        self._check([*tool, *user])

    @property
    def bootstrap(self) -> str:
        """Where it listens, host:port."""
        return f"127.0.0.1:{self._port}"

    @property
    def secure(self) -> str:
        """Where it listens for SASL over TLS, host:port; USER and PASSWORD are let in."""
        return f"127.0.0.1:{self._secure_port}"

    @property
    def mutual(self) -> str:
        """Where it listens for clients with a certificate that `authority` signed, host:port."""
        return f"127.0.0.1:{self._mutual_port}"

    def configure(self, settings: Mapping[str, str]) -> None:
        """Set properties that hold from the next start; they win over earlier ones."""
        with self._properties.open("a", encoding="utf-8") as file:
            file.writelines(f"{key}={value}\n" for key, value in settings.items())

    def lose(self, topic: str, partition: int = 0) -> None:
        """Lose the log of a partition, as with a disk; only while it is stopped."""
        assert self._process is None
        for file in (self._properties.parent / "data" / f"{topic}-{partition}").iterdir():
            if file.name != "partition.metadata":
                file.unlink()

    def start(self) -> None:
        """Start it and return once it takes connections."""
        self.launch()
        self.wait()

    def launch(self, *flags: str) -> None:
        """Start it; flags are of Java's own."""
        with self._log.open("ab") as log:
            command = self._command([*flags, "kafka.Kafka", str(self._properties)])
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def wait(self) -> None:
        """Return once it takes connections."""
        try:
            wait_until(self._answers, seconds=START_SECONDS, what="the Kafka broker")
        except TimeoutError as error:
            self.stop()
            raise RuntimeError(f"Kafka did not start: {self.tail()}") from error

    def stop(self, *, kill: bool = False) -> int | None:
        """Stop it: in order, or as a crash does; its exit code, None when it did not run."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        code = self._process.returncode
        self._process = None
        return code

    def tail(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-4000:] if self._log.exists() else "(no log)"

    def _secured(self, folder: Path) -> str:
        if shutil.which("openssl") is None:
            raise Unavailable("the tests of Kafka over TLS need openssl to make certificates")
        from tests.servers.certificates import Authority  # noqa: PLC0415 - brokers without TLS need no certificates

        self.authority: Authority = Authority(folder)
        key, certificate = self.authority.issue("localhost")
        keystore = folder / "keystore.pem"
        keystore.write_bytes(key.read_bytes() + certificate.read_bytes())
        return SECURITY.format(user=USER, password=PASSWORD, keystore=keystore, authority=self.authority.certificate)

    def _command(self, arguments: list[str]) -> list[str]:
        classes = self._jars / CLASSES
        known = [f"-XX:SharedArchiveFile={classes}"] if classes.exists() else []
        return [self._java, *JVM, *known, self._heap, "-cp", f"{self._jars}/*", *arguments]

    def _check(self, arguments: list[str]) -> None:
        done = subprocess.run(
            self._command(arguments), capture_output=True, text=True, timeout=START_SECONDS, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{arguments[0]} failed: {(done.stdout + done.stderr)[-2000:]}")

    def _answers(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise RuntimeError(f"Kafka ended by itself: {self.tail()}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            return probe.connect_ex(("127.0.0.1", self._port)) == 0


if __name__ == "__main__":
    if sys.argv[1:] != ["install"]:
        raise SystemExit("usage: python -m tests.servers.broker install")
    try:
        print(install())
    except Unavailable as reason:
        raise SystemExit(str(reason)) from None
