// KurrentDB's own client for Node.js does what its documentation says, against the server named:
//
//   node client.js URL       one line for each thing that is so; ends with 1 when one is not
//
// It appends over BatchAppend and subscribes by itself; its reads go through the official client for Rust.
import { randomBytes } from "node:crypto";

import {
  ANY, BACKWARDS, END, KurrentDBClient, NO_STREAM, START, StreamDeletedError, StreamNotFoundError,
  WrongExpectedVersionError, excludeSystemEvents, jsonEvent, streamNameFilter,
} from "@kurrent/kurrentdb-client";

const client = KurrentDBClient.connectionString(process.argv[2]);
const run = randomBytes(4).toString("hex");

function isSo(what, value) {
  if (!value) {
    console.error(`failed: node: ${what}`);
    process.exit(1);
  }
  console.log(`ok: node: ${what}`);
}

const event = (number) => jsonEvent({ type: "COUNTED", data: { number }, metadata: { a: 1 } });

async function raised(kind, call) {
  try {
    await call();
  } catch (error) {
    if (error instanceof kind) return error;
    throw error;
  }
  return undefined;
}

async function all(events) {
  const seen = [];
  for await (const { event } of events) if (event) seen.push(event);
  return seen;
}

const revisions = (events) => events.map(({ revision }) => Number(revision)).join();

const stream = `order-${run}`;
const first = event(0);
const appended = await client.appendToStream(stream, first, { streamState: NO_STREAM });
isSo("an append tells revision and position", appended.success && appended.nextExpectedRevision === 0n && appended.position.commit > 0n);
const again = await client.appendToStream(stream, first, { streamState: NO_STREAM });
isSo("an append repeated with the same id is told the same position", again.position.commit === appended.position.commit);
const others = [event(1), event(2), event(3)];
const later = await client.appendToStream(stream, others, { streamState: 0n });
isSo("several are appended at the revision expected", later.nextExpectedRevision === 3n);
const wrong = await raised(WrongExpectedVersionError, () => client.appendToStream(stream, event(9), { streamState: 1n }));
isSo("an append at another revision is refused, and told which is right", wrong?.actualState === 3n || wrong?.actualVersion === 3n);
isSo("a stream that should not be is", await raised(WrongExpectedVersionError, () =>
  client.appendToStream(stream, event(9), { streamState: NO_STREAM })));
const parallel = await Promise.all(Array.from({ length: 50 }, (_, number) =>
  client.appendToStream(`many-${run}-${number}`, event(number), { streamState: ANY })));
isSo("fifty appends at once are all answered", parallel.every(({ success }) => success));

const events = await all(client.readStream(stream));
isSo("a stream is read in its order", revisions(events) === "0,1,2,3");
isSo("an event is what was appended", events[0].id === first.id && events[0].type === "COUNTED"
  && events[0].data.number === 0 && events[0].metadata.a === 1 && events[0].isJson);
isSo("an event has the time of its recording", new Date(events[0].created).getFullYear() >= 2024);
isSo("a stream is read backwards", revisions(await all(client.readStream(stream, { direction: BACKWARDS, fromRevision: END, maxCount: 2 }))) === "3,2");
isSo("a part of a stream is read", revisions(await all(client.readStream(stream, { fromRevision: 1n, maxCount: 2 }))) === "1,2");
isSo("a stream that is not there is not found", await raised(StreamNotFoundError, () => all(client.readStream(`missing-${run}`))));
const ofStream = streamNameFilter({ prefixes: [stream] });
isSo("the store is read by prefix", revisions(await all(client.readAll({ fromPosition: START, filter: ofStream }))) === "0,1,2,3");
const last = await all(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1, filter: excludeSystemEvents() }));
isSo("the end of the store is no system event", last.length === 1 && !last[0].type.startsWith("$"));
isSo("every event is read", (await all(client.readAll())).some(({ type }) => type.startsWith("$")));

/// The next events of a subscription.
async function take(subscription, count) {
  const seen = [];
  for await (const { event } of subscription) {
    seen.push(event);
    if (seen.length === count) break;
  }
  return seen;
}

let checkpoints = 0;
let caughtUp = false;
const noise = Array.from({ length: 100 }, (_, number) => event(number));
await client.appendToStream(`noise-${run}`, noise, { streamState: NO_STREAM });
const filter = streamNameFilter({ prefixes: [stream], maxSearchWindow: 10, checkpointInterval: 1, checkpointReached: () => { checkpoints += 1; } });
const subscription = client.subscribeToAll({ fromPosition: START, filter });
subscription.on("caughtUp", () => { caughtUp = true; });
setTimeout(() => client.appendToStream(stream, event(4), { streamState: 3n }), 300);
isSo("a subscription catches up and goes on", revisions(await take(subscription, 5)) === "0,1,2,3,4");
isSo("it tells that it has caught up, and checkpoints", caughtUp && checkpoints > 5);
const behind = client.subscribeToAll({ fromPosition: later.position, filter: ofStream });
isSo("a subscription starts behind its position", revisions(await take(behind, 1)) === "4");
isSo("a stream is followed", revisions(await take(client.subscribeToStream(stream, { fromRevision: 2n }), 2)) === "3,4");

const gone = `gone-${run}`;
await client.appendToStream(gone, [event(0), event(1)], { streamState: NO_STREAM });
await client.deleteStream(gone, { expectedRevision: 1n });
isSo("a deleted stream is not found", await raised(StreamNotFoundError, () => all(client.readStream(gone))));
await client.appendToStream(gone, event(2), { streamState: NO_STREAM });
isSo("a deleted stream goes on behind what it had", revisions(await all(client.readStream(gone))) === "2");
await client.tombstoneStream(gone);
isSo("a tombstoned stream is deleted for good", await raised(StreamDeletedError, () => all(client.readStream(gone))));
isSo("and is not written to again", await raised(StreamDeletedError, () => client.appendToStream(gone, event(3), { streamState: ANY })));

await client.dispose();
process.exit(0);
