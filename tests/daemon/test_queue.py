"""The engine's queue: bounded for records, open for orders."""

import threading

import pytest

from driftwatch.daemon.queue import Announcement, Command, Order, Queue
from driftwatch.stream.raw import Raw, Stream

WAIT_SECONDS = 10.0


def raw(records: int, *, size: int = 1, position: int = 0) -> Raw:
    return Raw(Stream.PREDICTIONS, "test", "test/0", (b"x" * size,) * records, 0, position)


def offered(queue: Queue, message: Raw) -> bool:
    return queue.offer(message, timeout_seconds=0)


@pytest.mark.parametrize("limits", [{"records": 10}, {"size_bytes": 10}])
def test_records_are_let_in_while_they_fit(limits):
    """Both bounds hold; what does not fit is refused whole, and fits once something was taken."""
    queue = Queue(**limits)
    assert offered(queue, raw(6))
    assert offered(queue, raw(4))
    assert not offered(queue, raw(1))
    assert queue.records == 10
    queue.take()
    assert queue.records == 4
    assert offered(queue, raw(6))


@pytest.mark.parametrize("limits", [{"records": 10}, {"size_bytes": 10}])
def test_one_batch_beyond_the_bounds_is_let_in_alone(limits):
    """However large: else it would wait for ever."""
    queue = Queue(**limits)
    assert offered(queue, raw(50))
    assert not offered(queue, raw(1))
    queue.take()
    assert offered(queue, raw(1))
    assert not offered(queue, raw(50))


def test_orders_and_announcements_pass_when_it_is_full():
    """A full queue must not keep the service from saving."""
    queue = Queue(records=1)
    assert offered(queue, raw(1))
    order = queue.order(Command.SAVE)
    queue.announce(Stream.LABELS, ["test/1"])
    assert isinstance(queue.take(), Raw)
    assert queue.take() is order
    assert queue.take() == Announcement(Stream.LABELS, ("test/1",))


def test_messages_come_in_order():
    """An order is carried out after the records that were there before it."""
    queue = Queue()
    for position in (1, 2):
        offered(queue, raw(1, position=position))
        queue.order(Command.TICK)
    seen = [queue.take() for _ in range(4)]
    assert [message.position if isinstance(message, Raw) else message.command for message in seen] == [
        1, Command.TICK, 2, Command.TICK,
    ]  # fmt: skip


def test_an_offer_waits_for_room():
    """A source's thread sleeps until the engine has taken something."""
    queue = Queue(records=1)
    assert offered(queue, raw(1))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(queue.offer(raw(1), timeout_seconds=WAIT_SECONDS)))
    thread.start()
    queue.take()
    thread.join(WAIT_SECONDS)
    assert answers == [True]


def test_a_take_waits_for_a_message():
    """The engine sleeps until there is something to do."""
    queue = Queue()
    taken = []
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    order = queue.order(Command.TICK)
    thread.join(WAIT_SECONDS)
    assert taken == [order]


def test_while_it_holds_only_orders_are_given_out():
    """Records wait, in their order, for a disk that works again."""
    queue = Queue()
    offered(queue, raw(1, position=1))
    offered(queue, raw(1, position=2))
    order = queue.order(Command.SAVE)
    queue.hold(on=True)
    assert queue.take() is order
    queue.hold(on=False)
    first, second = queue.take(), queue.take()
    assert isinstance(first, Raw)
    assert isinstance(second, Raw)
    assert (first.position, second.position) == (1, 2)


def test_the_end_of_holding_wakes_the_engine():
    """Nothing else has to happen."""
    queue = Queue()
    offered(queue, raw(1))
    queue.hold(on=True)
    taken = []
    thread = threading.Thread(target=lambda: taken.append(queue.take()))
    thread.start()
    queue.hold(on=False)
    thread.join(WAIT_SECONDS)
    assert len(taken) == 1


def test_a_closed_queue_lets_no_records_in_and_gives_out_what_waits():
    """Who waits for room is told at once; orders still pass."""
    queue = Queue(records=1)
    assert offered(queue, raw(1))
    answers = []
    thread = threading.Thread(target=lambda: answers.append(queue.offer(raw(1), timeout_seconds=WAIT_SECONDS)))
    thread.start()
    queue.close()
    thread.join(WAIT_SECONDS)
    assert answers == [False]
    assert isinstance(queue.take(), Raw)
    assert not offered(queue, raw(1))
    queue.order(Command.STOP)
    stop = queue.take()
    assert isinstance(stop, Order)
    assert stop.command is Command.STOP
