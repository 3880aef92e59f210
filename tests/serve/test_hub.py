"""Who is told what: rows wait, old poses go, late pages get what they missed."""

from emoje_edge.serve.hub import LISTENERS, PASSING, Hub, Listener


def drain(listener: Listener) -> list[str]:
    """Kind and data of everything that waits."""
    found = []
    while (message := listener.take(0.0)) is not None:
        found.append(f"{message.kind} {message.data}")
    return found


def test_a_late_page_gets_the_rows_that_it_missed_and_the_last_states() -> None:
    hub = Hub()
    for number in range(3):
        hub.row("row", {"n": number})
        hub.state("cam", {"lag_ms": number})
    listener = hub.listen(after=1)
    assert listener is not None
    assert drain(listener) == ['state {"source":"cam","lag_ms":2}', 'row {"n":1}', 'row {"n":2}']
    assert [row["id"] for row in hub.rows(2)] == [3]


def test_a_slow_page_keeps_every_row_and_only_the_newest_poses() -> None:
    hub = Hub()
    listener = hub.listen()
    assert listener is not None
    for number in range(1000):
        hub.passing("pose", {"t": number})
        if number % 10 == 0:
            hub.row("row", {"n": number})
    found = drain(listener)
    poses = [text for text in found if text.startswith("pose")]
    assert len(poses) == PASSING["pose"]
    assert poses[-1] == 'pose {"t":999}'
    assert len(found) - len(poses) == 100


def test_nobody_waits_for_a_page_that_reads_nothing_for_ever() -> None:
    hub = Hub()
    listener = hub.listen()
    assert listener is not None
    for number in range(5000):
        hub.row("row", {"n": number})
    try:
        listener.take(0.0)
    except StopIteration:
        return
    raise AssertionError("a page with thousands of rows behind is still served")


def test_so_many_pages_and_no_more() -> None:
    hub = Hub()
    listeners = [hub.listen() for _ in range(LISTENERS)]
    assert all(listeners)
    assert hub.listen() is None
    assert listeners[0] is not None
    hub.leave(listeners[0])
    assert hub.listen() is not None


def test_a_message_is_one_event_on_the_wire() -> None:
    hub = Hub()
    hub.row("row", {"text": "line\nbreak"})
    listener = hub.listen()
    assert listener is not None
    message = listener.take(0.0)
    assert message is not None
    assert message.encode() == b'id: 1\nevent: row\ndata: {"text":"line\\nbreak"}\n\n'
