"""KurrentDB's own client for Python does what its documentation says, against the server named.

    client.py URL        one line for each thing that is so; ends with 1 when one is not
"""

import sys
import threading
import uuid

from kurrentdbclient import Checkpoint, KurrentDBClient, NewEvent, StreamState
from kurrentdbclient.exceptions import (
    FailedPreconditionError, NotFoundError, StreamIsDeletedError, WrongCurrentVersionError,
)

client = KurrentDBClient(uri=sys.argv[1])
run = uuid.uuid4().hex[:8]


def is_so(what, value):
    if not value:
        sys.exit(f"failed: python: {what}")
    print(f"ok: python: {what}")


def event(number, name="COUNTED"):
    return NewEvent(type=name, data=f'{{"number":{number}}}'.encode(), metadata=b'{"a":1}')


def raises(error, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except error as raised:
        return raised
    return None


def appending():
    stream = f"order-{run}"
    first = event(0)
    position = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=first)
    is_so("an append tells a position", position > 0)
    again = client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=first)
    is_so("an append repeated with the same id is told the same position", again == position)
    others = [event(1), event(2), event(3)]
    later = client.append_to_stream(stream, current_version=0, events=others)
    is_so("a batch appends at the version expected, further on", later > position)
    again = client.append_to_stream(stream, current_version=0, events=others)
    is_so("a batch repeated with the same ids is told the same position", again == later)
    wrong = raises(WrongCurrentVersionError, client.append_to_stream, stream, current_version=1, events=event(9))
    is_so("an append at another version is refused", wrong is not None and "3" in str(wrong))
    wrong = raises(WrongCurrentVersionError, client.append_to_stream, stream, current_version=7, events=[event(8), event(9)])
    is_so("a batch at another version is refused", wrong is not None)
    wrong = raises(WrongCurrentVersionError, client.append_to_stream, stream,
                   current_version=StreamState.NO_STREAM, events=[event(9)])
    is_so("a batch to a stream that should not be is refused", wrong is not None)
    wrong = raises(WrongCurrentVersionError, client.append_to_stream, f"missing-{run}",
                   current_version=StreamState.EXISTS, events=event(9))
    is_so("an append to a stream that should be is refused", wrong is not None)
    client.append_to_stream(f"any-{run}", current_version=StreamState.ANY, events=event(4))
    is_so("what was refused is not there", client.get_current_version(stream) == 3)
    return stream, first, later


def reading(stream, first, later):
    events = client.get_stream(stream)
    is_so("a stream is read in its order", [event.stream_position for event in events] == [0, 1, 2, 3])
    found = events[0]
    is_so("an event is what was appended",
          (found.id, found.type, found.data, found.metadata) == (first.id, first.type, first.data, first.metadata))
    is_so("an event has the time of its recording", found.recorded_at is not None and found.recorded_at.year >= 2024)
    is_so("the last event is where the append said", events[3].commit_position == later)
    backwards = client.get_stream(stream, backwards=True, limit=2)
    is_so("a stream is read backwards", [event.stream_position for event in backwards] == [3, 2])
    part = client.get_stream(stream, stream_position=1, limit=2)
    is_so("a part of a stream is read", [event.stream_position for event in part] == [1, 2])
    is_so("a stream that is not there is not found", raises(NotFoundError, client.get_stream, f"missing-{run}"))
    every = list(client.read_all())
    is_so("system events are left out by the client's own filter", every and not any(e.type.startswith("$") for e in every))
    is_so("positions grow", all(a.commit_position < b.commit_position for a, b in zip(every, every[1:])))
    own = list(client.read_all(filter_include=[f"order-{run}"], filter_by_stream_name=True, filter_by_prefix=True))
    is_so("the store is read by prefix", [e.stream_position for e in own] == [0, 1, 2, 3])
    own = list(client.read_all(filter_include=[f"order-{run}.*"], filter_by_stream_name=True, backwards=True, limit=2))
    is_so("the store is read backwards by expression", [e.stream_position for e in own] == [3, 2])
    onwards = list(client.read_all(commit_position=events[2].commit_position, filter_include=["order-"],
                                   filter_by_stream_name=True, filter_by_prefix=True, limit=1))
    is_so("the store is read from a position, which is part of it", onwards[0].id == events[2].id)
    is_so("the end of the store is known", client.get_commit_position() >= later)


def following(stream, later):
    prefix = {"filter_include": ["order-" + run], "filter_by_stream_name": True, "filter_by_prefix": True}
    with client.subscribe_to_all(**prefix) as subscription:
        seen = [next(subscription).stream_position for _ in range(4)]
        is_so("a subscription catches up", seen == [0, 1, 2, 3])
        threading.Timer(0.2, client.append_to_stream, [stream],
                        {"current_version": 3, "events": event(4)}).start()
        is_so("and goes on", next(subscription).stream_position == 4)
    with client.subscribe_to_all(commit_position=later, **prefix) as subscription:
        is_so("a subscription starts behind its position", next(subscription).stream_position == 4)
    client.append_to_stream(f"noise-{run}", current_version=StreamState.NO_STREAM,
                            events=[event(number) for number in range(100)])
    with client.subscribe_to_all(commit_position=later, include_checkpoints=True, window_size=10,
                                 checkpoint_interval_multiplier=2, **prefix) as subscription:
        told = [next(subscription) for _ in range(4)]
        checkpoints = [event.commit_position for event in told if isinstance(event, Checkpoint)]
        is_so("checkpoints tell every twenty events how far it has looked",
              len(checkpoints) == 3 and later < checkpoints[0] < checkpoints[1] < checkpoints[2])
    with client.subscribe_to_stream(stream, stream_position=2) as subscription:
        is_so("a stream is followed", [next(subscription).stream_position for _ in range(2)] == [3, 4])


def deleting():
    stream = f"gone-{run}"
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=[event(0), event(1)])
    wrong = raises(WrongCurrentVersionError, client.delete_stream, stream, current_version=0)
    is_so("a delete at another version is refused", wrong is not None)
    client.delete_stream(stream, current_version=1)
    is_so("a deleted stream is not found", raises(NotFoundError, client.get_stream, stream))
    client.append_to_stream(stream, current_version=StreamState.NO_STREAM, events=event(2))
    is_so("a deleted stream goes on behind what it had", [e.stream_position for e in client.get_stream(stream)] == [2])
    client.tombstone_stream(stream, current_version=2)
    is_so("a tombstoned stream is deleted for good", raises(StreamIsDeletedError, client.get_stream, stream))
    is_so("and is not written to again", raises(StreamIsDeletedError, client.append_to_stream, stream,
                                                current_version=StreamState.ANY, events=[event(3)]))
    # The client tells it in other words when the event comes alone, and not in a list.
    refused = raises(FailedPreconditionError, client.append_to_stream, stream, current_version=StreamState.ANY, events=event(3))
    is_so("nor by an event alone", refused is not None and "is deleted" in str(refused))


of_order, first_event, at = appending()
reading(of_order, first_event, at)
following(of_order, at)
deleting()
client.close()
