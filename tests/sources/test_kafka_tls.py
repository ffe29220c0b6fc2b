"""Who may read: passwords and certificates against a real broker."""

from functools import partial

import pytest

from tests.fakes import FakeInlet
from tests.servers.broker import PASSWORD, USER, wait_until
from tests.servers.certificates import Authority
from tests.sources.rigs import numbered

pytestmark = pytest.mark.kafka

# A client tries for ten seconds before it says that it was refused.
REFUSED_SECONDS = 60.0


def test_reads_with_a_password_over_tls(secure_broker, start, tmp_path):
    """Both mechanisms are let in over TLS; a wrong password is named by the status, and the right one then serves."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    secure_broker.start()
    cluster = Cluster(secure_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 3))
    cluster.close()
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    security = {"protocol": "SASL_SSL", "username": USER, "ca_file": str(secure_broker.authority.certificate)}
    for mechanism in ("PLAIN", "SCRAM-SHA-512"):
        inlet = FakeInlet()
        secured = security | {"mechanism": mechanism, "password_file": str(password)}
        start(secure_broker.secure, inlet, predictions=["t"], security=secured)
        inlet.wait_records(3)
    inlet = FakeInlet()
    password.write_text("wrong")
    source = start(secure_broker.secure, inlet, predictions=["t"], security=secured)
    wait_until(lambda: "Authentication failed" in source.status().error, seconds=REFUSED_SECONDS, what="the refusal")
    assert not source.status().ready
    assert "wrong" not in source.status().error
    password.write_text(PASSWORD)
    inlet.wait_records(3)


def test_reads_with_a_certificate(secure_broker, start, tmp_path):
    """A client is let in by its certificate; without one, or with one of another authority, it is not."""
    from tests.servers.cluster import Cluster  # noqa: PLC0415 - loads kafka-python

    secure_broker.start()
    cluster = Cluster(secure_broker.bootstrap)
    cluster.topic(name="t")
    cluster.produce("t", numbered(0, 3))
    cluster.close()
    key, certificate = secure_broker.authority.issue("reader")
    alien_key, alien = Authority(tmp_path, name="stranger").issue("reader")
    bare = {"protocol": "SSL", "ca_file": str(secure_broker.authority.certificate)}
    inlet, refused = FakeInlet(), FakeInlet()
    mine = bare | {"cert_file": str(certificate), "key_file": str(key)}
    start(secure_broker.mutual, inlet, predictions=["t"], security=mine)
    inlet.wait_records(3)
    theirs = bare | {"cert_file": str(alien), "key_file": str(alien_key)}
    sources = [start(secure_broker.mutual, refused, predictions=["t"], security=each) for each in (bare, theirs)]
    for source in sources:
        refusal = partial(_is_refused, source)
        wait_until(refusal, seconds=REFUSED_SECONDS, what="the refusal")
        assert not source.status().ready
    assert refused.raws == []


def _is_refused(source):
    return "no broker lets us in" in source.status().error
