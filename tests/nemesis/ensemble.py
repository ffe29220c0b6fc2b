"""Three brokers that are one cluster: each holds everything and votes, so any one of them may be away."""

from pathlib import Path

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from tests.servers.broker import Broker, free_ports, new_id, wait_until

SIZE, HEAP_MB, CALM_SECONDS = 3, 256, 90.0
INTERNAL = ("__consumer_offsets", "__transaction_state")

SETTINGS = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
    "transaction.state.log.replication.factor": "3",
    "transaction.state.log.min.isr": "2",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    "unclean.leader.election.enable": "false",
    "auto.leader.rebalance.enable": "false",
    "replica.lag.time.max.ms": "3000",
    "controller.quorum.election.timeout.ms": "500",
    "controller.quorum.fetch.timeout.ms": "1000",
    "log.initial.task.delay.ms": "1000",
}


class Ensemble:
    """A cluster whose nodes can be killed and started one by one."""

    def __init__(self, folder: Path) -> None:
        ports = [free_ports(4) for _ in range(SIZE)]
        voters = ",".join(f"{node + 1}@127.0.0.1:{each[3]}" for node, each in enumerate(ports))
        cluster = new_id()
        self.brokers: list[Broker] = []
        for node, each in enumerate(ports):
            place = folder / f"node{node + 1}"
            place.mkdir()
            own = {"node.id": str(node + 1), "controller.quorum.voters": voters}
            self.brokers.append(Broker(place, ports=each, cluster=cluster, settings=SETTINGS | own, heap_mb=HEAP_MB))

    @property
    def bootstrap(self) -> list[str]:
        """Where all of them listen."""
        return [broker.bootstrap for broker in self.brokers]

    def start(self) -> None:
        """Start all and wait for each."""
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait()

    def stop(self) -> None:
        """End all at once."""
        for broker in self.brokers:
            broker.stop(kill=True)

    def admin(self) -> KafkaAdminClient:
        """A client that may change the cluster."""
        return KafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=20_000)

    def wait_calm(self, topic: str) -> dict[int, int]:
        """Return once every partition is held by all nodes again; the leader of each of the topic's partitions."""
        leaders: dict[int, int] = {}

        def calm() -> bool:
            nonlocal leaders
            try:
                admin = self.admin()
            except KafkaError:
                return False
            try:
                found = admin.describe_topics([topic, *INTERNAL])
            except KafkaError:
                return False
            finally:
                admin.close()
            described = {each["name"]: each["partitions"] for each in found if not each.get("error_code")}
            leaders = {each["partition_index"]: each["leader_id"] for each in described.get(topic, [])}
            whole = all(len(each["isr_nodes"]) == SIZE for partitions in described.values() for each in partitions)
            return topic in described and whole

        wait_until(calm, seconds=CALM_SECONDS, what="all replicas to be in step")
        return leaders
