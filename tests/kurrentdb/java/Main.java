import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.kurrent.dbclient.*;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * KurrentDB's own client for Java does what its documentation says, against the server named:
 *
 *   java Main URL       one line for each thing that is so; ends with 1 when one is not
 */
public final class Main {
    private static final String RUN = UUID.randomUUID().toString().substring(0, 8);
    private static KurrentDBClient client;

    private Main() {}

    private static void isSo(String what, boolean value) {
        if (!value) {
            System.err.println("failed: java: " + what);
            System.exit(1);
        }
        System.out.println("ok: java: " + what);
    }

    private static EventData event(int number) {
        byte[] data = ("{\"number\":" + number + "}").getBytes(StandardCharsets.UTF_8);
        byte[] metadata = "{\"a\":1}".getBytes(StandardCharsets.UTF_8);
        return EventDataBuilder.json(UUID.randomUUID(), "COUNTED", data).metadataAsBytes(metadata).build();
    }

    /** What a call was refused with, if it was with that. */
    private static <E extends Throwable> E raised(Class<E> kind, Callable<CompletableFuture<?>> call) throws Exception {
        try {
            call.call().get(30, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            if (kind.isInstance(error.getCause())) return kind.cast(error.getCause());
            throw error;
        }
        return null;
    }

    private static AppendToStreamOptions at(StreamState state) {
        return AppendToStreamOptions.get().streamState(state);
    }

    private static WriteResult append(String stream, StreamState state, EventData... events) throws Exception {
        Iterator<EventData> all = Arrays.asList(events).iterator();
        return client.appendToStream(stream, at(state), all).get(30, TimeUnit.SECONDS);
    }

    /** By what they say: two results are equal to the client only when they are one and the same. */
    private static boolean isSame(WriteResult one, WriteResult other) {
        return one.getLogPosition().equals(other.getLogPosition())
            && one.getNextExpectedRevision().toRawLong() == other.getNextExpectedRevision().toRawLong();
    }

    private static List<RecordedEvent> read(String stream, ReadStreamOptions options) throws Exception {
        return events(client.readStream(stream, options).get(30, TimeUnit.SECONDS));
    }

    private static List<RecordedEvent> events(ReadResult result) {
        return result.getEvents().stream().map(ResolvedEvent::getOriginalEvent).collect(Collectors.toList());
    }

    private static String revisions(List<RecordedEvent> events) {
        return events.stream().map(event -> Long.toString(event.getRevision())).collect(Collectors.joining(","));
    }

    public static void main(String[] arguments) throws Exception {
        client = KurrentDBClient.create(KurrentDBConnectionString.parseOrThrow(arguments[0]));
        String stream = "order-" + RUN;
        EventData first = event(0);
        WriteResult later = appending(stream, first);
        reading(stream, first);
        following(stream, later);
        deleting();
        client.shutdown().get(30, TimeUnit.SECONDS);
        System.exit(0);
    }

    private static WriteResult appending(String stream, EventData first) throws Exception {
        WriteResult appended = append(stream, StreamState.noStream(), first);
        isSo("an append tells revision and position",
            appended.getNextExpectedRevision().toRawLong() == 0 && appended.getLogPosition().getCommitUnsigned() > 0);
        WriteResult again = append(stream, StreamState.noStream(), first);
        isSo("an append repeated with the same id is told the same position", isSame(again, appended));
        EventData[] others = {event(1), event(2), event(3)};
        WriteResult later = append(stream, StreamState.streamRevision(0), others);
        isSo("several are appended at the revision expected, further on", later.getNextExpectedRevision().toRawLong() == 3
            && later.getLogPosition().compareTo(appended.getLogPosition()) > 0);
        isSo("several repeated are told the same position",
            isSame(append(stream, StreamState.streamRevision(0), others), later));
        WrongExpectedVersionException wrong = raised(WrongExpectedVersionException.class,
            () -> client.appendToStream(stream, at(StreamState.streamRevision(1)), event(9)));
        isSo("an append at another revision is refused, and told which is right",
            wrong != null && wrong.getActualState().toRawLong() == 3 && wrong.getExpectedState().toRawLong() == 1);
        isSo("a stream that should not be is", raised(WrongExpectedVersionException.class,
            () -> client.appendToStream(stream, at(StreamState.noStream()), event(9))) != null);
        isSo("a stream that should be is not", raised(WrongExpectedVersionException.class,
            () -> client.appendToStream("missing-" + RUN, at(StreamState.streamExists()), event(9))) != null);
        List<CompletableFuture<WriteResult>> parallel = IntStream.range(0, 50)
            .mapToObj(number -> client.appendToStream("many-" + RUN + "-" + number, at(StreamState.any()), event(number)))
            .collect(Collectors.toList());
        for (CompletableFuture<WriteResult> one : parallel) one.get(30, TimeUnit.SECONDS);
        isSo("fifty appends at once are all answered", true);
        return later;
    }

    private static void reading(String stream, EventData first) throws Exception {
        List<RecordedEvent> events = read(stream, ReadStreamOptions.get());
        isSo("a stream is read in its order", revisions(events).equals("0,1,2,3"));
        RecordedEvent found = events.get(0);
        isSo("an event is what was appended", found.getEventId().equals(first.getEventId())
            && found.getEventType().equals("COUNTED") && Arrays.equals(found.getEventData(), first.getEventData())
            && Arrays.equals(found.getUserMetadata(), first.getUserMetadata())
            && found.getContentType().equals("application/json"));
        isSo("an event has the time of its recording", found.getCreated().getEpochSecond() > 1_700_000_000L);
        isSo("a stream is read backwards",
            revisions(read(stream, ReadStreamOptions.get().backwards().fromEnd().maxCount(2))).equals("3,2"));
        isSo("a part of a stream is read",
            revisions(read(stream, ReadStreamOptions.get().fromRevision(1).maxCount(2))).equals("1,2"));
        isSo("a stream that is not there is not found", raised(StreamNotFoundException.class,
            () -> client.readStream("missing-" + RUN, ReadStreamOptions.get())) != null);
        List<RecordedEvent> every = events(client.readAll(ReadAllOptions.get().fromStart()).get(30, TimeUnit.SECONDS));
        isSo("the store is read in the order of positions", every.size() > 50 && IntStream.range(1, every.size())
            .allMatch(index -> every.get(index - 1).getPosition().compareTo(every.get(index).getPosition()) < 0));
        List<RecordedEvent> last = events(client.readAll(ReadAllOptions.get().backwards().fromEnd().maxCount(1))
            .get(30, TimeUnit.SECONDS));
        isSo("the store is read backwards", last.size() == 1
            && last.get(0).getPosition().compareTo(events.get(3).getPosition()) > 0);
    }

    /** What a subscription tells, as it comes. */
    private static final class Seen extends SubscriptionListener {
        private final LinkedBlockingQueue<Long> revisions = new LinkedBlockingQueue<>();
        private final AtomicBoolean caughtUp = new AtomicBoolean();
        private volatile Throwable ended;

        @Override
        public void onEvent(Subscription subscription, ResolvedEvent event) {
            revisions.add(event.getOriginalEvent().getRevision());
        }

        @Override
        public void onCaughtUp(Subscription subscription, java.time.Instant at, Long revision, Position position) {
            caughtUp.set(true);
        }

        @Override
        public void onCancelled(Subscription subscription, Throwable error) {
            ended = error;
        }

        private String next(int count) throws InterruptedException {
            StringBuilder seen = new StringBuilder();
            for (int index = 0; index < count; index++) {
                Long revision = revisions.poll(20, TimeUnit.SECONDS);
                if (revision == null) return seen + " and no more: " + ended;
                seen.append(index == 0 ? "" : ",").append(revision);
            }
            return seen.toString();
        }
    }

    private static void following(String stream, WriteResult later) throws Exception {
        EventData[] noise = IntStream.range(0, 100).mapToObj(Main::event).toArray(EventData[]::new);
        append("noise-" + RUN, StreamState.noStream(), noise);
        AtomicInteger checkpoints = new AtomicInteger();
        SubscriptionFilter filter = SubscriptionFilter.newBuilder().addStreamNamePrefix(stream).withMaxWindow(10)
            .withCheckpointer((subscription, position) -> {
                checkpoints.incrementAndGet();
                return CompletableFuture.completedFuture(null);
            }, 1).build();
        Seen seen = new Seen();
        Subscription subscription = client.subscribeToAll(seen, SubscribeToAllOptions.get().fromStart().filter(filter))
            .get(30, TimeUnit.SECONDS);
        isSo("a subscription catches up", seen.next(4).equals("0,1,2,3"));
        Thread.sleep(300);
        isSo("it tells that it has caught up", seen.caughtUp.get());
        append(stream, StreamState.streamRevision(3), event(4));
        isSo("and goes on", seen.next(1).equals("4"));
        isSo("checkpoints tell how far it has looked", checkpoints.get() > 5);
        subscription.stop();
        Seen behind = new Seen();
        SubscriptionFilter ofStream = SubscriptionFilter.newBuilder().addStreamNamePrefix(stream).build();
        client.subscribeToAll(behind, SubscribeToAllOptions.get().fromPosition(later.getLogPosition()).filter(ofStream))
            .get(30, TimeUnit.SECONDS);
        isSo("a subscription starts behind its position", behind.next(1).equals("4"));
        Seen part = new Seen();
        client.subscribeToStream(stream, part, SubscribeToStreamOptions.get().fromRevision(2)).get(30, TimeUnit.SECONDS);
        isSo("a stream is followed", part.next(2).equals("3,4"));
    }

    private static void deleting() throws Exception {
        String gone = "gone-" + RUN;
        append(gone, StreamState.noStream(), event(0), event(1));
        isSo("a delete at another revision is refused", raised(WrongExpectedVersionException.class,
            () -> client.deleteStream(gone, DeleteStreamOptions.get().streamRevision(0))) != null);
        client.deleteStream(gone, DeleteStreamOptions.get().streamRevision(1)).get(30, TimeUnit.SECONDS);
        isSo("a deleted stream is not found", raised(StreamNotFoundException.class,
            () -> client.readStream(gone, ReadStreamOptions.get())) != null);
        append(gone, StreamState.noStream(), event(2));
        isSo("a deleted stream goes on behind what it had", revisions(read(gone, ReadStreamOptions.get())).equals("2"));
        client.tombstoneStream(gone).get(30, TimeUnit.SECONDS);
        // Of a read the client hands on what the server said as it is.
        StatusRuntimeException deleted = raised(StatusRuntimeException.class,
            () -> client.readStream(gone, ReadStreamOptions.get()));
        isSo("a tombstoned stream is deleted for good", deleted != null
            && deleted.getStatus().getCode() == Status.Code.FAILED_PRECONDITION
            && "stream-deleted".equals(deleted.getTrailers().get(
                Metadata.Key.of("exception", Metadata.ASCII_STRING_MARSHALLER))));
        isSo("and is not written to again", raised(StreamDeletedException.class,
            () -> client.appendToStream(gone, at(StreamState.any()), event(3))) != null);
    }
}
