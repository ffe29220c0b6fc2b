"""Who may read: passwords and certificates against a real broker."""

import pytest

from tests.fakes import FakeInlet
from tests.servers.broker import PASSWORD, USER
from tests.servers.certificates import Authority
from tests.sources.rigs import numbered

pytestmark = pytest.mark.kafka


def test_reads_with_a_password_over_tls(own_broker, start, tmp_path):
    """Both mechanisms are let in over TLS; a wrong password is named by the status, and the right one then serves."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 3))
    cluster.close()
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    security = {"protocol": "SASL_SSL", "username": USER, "ca_file": str(own_broker.authority.certificate)}
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        inlet = FakeInlet()
        secured = security | {"mechanism": mechanism, "password_file": str(password)}
        start(own_broker.secure, inlet, predictions=["t"], security=secured)
        inlet.wait_records(3)
    inlet = FakeInlet()
    password.write_text("wrong")
    source = start(own_broker.secure, inlet, predictions=["t"], security=secured)
    inlet.wait(lambda: "Authentication failed" in source.status().error, "the refusal")
    assert not source.status().ready
    assert "wrong" not in source.status().error
    password.write_text(PASSWORD)
    inlet.wait_records(3)


def test_reads_with_a_certificate(own_broker, start, tmp_path):
    """A client is let in by its certificate; without one, or with one of another authority, it is not."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    own_broker.start()
    cluster = Cluster(own_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 3))
    cluster.close()
    key, certificate = own_broker.authority.issue("reader")
    alien_key, alien = Authority(tmp_path, name="stranger").issue("reader")
    bare = {"protocol": "SSL", "ca_file": str(own_broker.authority.certificate)}
    inlet, refused = FakeInlet(), FakeInlet()
    mine = bare | {"cert_file": str(certificate), "key_file": str(key)}
    start(own_broker.mutual, inlet, predictions=["t"], security=mine)
    inlet.wait_records(3)
    theirs = bare | {"cert_file": str(alien), "key_file": str(alien_key)}
    sources = [start(own_broker.mutual, refused, predictions=["t"], security=each) for each in (bare, theirs)]
    for source in sources:
        refused.wait(lambda source=source: "no broker lets us in" in source.status().error, "the refusal")
        assert not source.status().ready
    assert refused.raws == []
