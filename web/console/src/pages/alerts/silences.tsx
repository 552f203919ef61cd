// Silences: those that hold, those that are over, and the form that makes one.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { expireSilence, postSilence } from "../../api/alerts.ts";
import { alertingRules, isMatched, type Silence, writeMatchers } from "../../model/alerts.ts";
import { plural } from "../../model/count.ts";
import { parseMatchers } from "../../model/matchers.ts";
import { formatAgo, formatDate, formatLength, fromMilliseconds, parseLength } from "../../model/time.ts";
import { Icon } from "../../parts/icons.tsx";
import { Notice } from "../../parts/states.tsx";
import type { AlertsAddress } from "../../state/addresses/alerts.ts";
import type { Change, Known } from "../alerts.tsx";

interface SilencesProps {
  address: AlertsAddress;
  change: Change;
  data: Known;
  again: () => void;
}

export function Silences({ address, change, data, again }: SilencesProps) {
  const now = fromMilliseconds(Date.now());
  const holding = data.silences.filter(({ state }) => state !== "expired");
  const over = data.silences.filter(({ state }) => state === "expired").slice(0, 20);
  return (
    <>
      {data.silencesTrouble !== undefined && (
        <Notice tone="error">Silences cannot be read: {data.silencesTrouble}</Notice>
      )}
      {address.silence !== undefined ? (
        <Form key={address.silence} address={address} change={change} data={data} again={again} />
      ) : (
        <p>
          <button type="button" class="button primary" onClick={() => change({ silence: "" })}>
            <Icon name="plus" /> New silence
          </button>
        </p>
      )}
      <section class="card" aria-label="Silences">
        <header class="card-head">
          <h2>In force</h2>
          <span class="quiet">what matches is evaluated and shown, and nobody is notified</span>
        </header>
        {holding.length === 0 ? (
          <p class="card-body quiet">
            Nothing is silenced. Before a planned outage, silence the alerts that it would raise: nobody is
            called for what is known.
          </p>
        ) : (
          <List silences={holding} data={data} now={now} again={again} change={change} />
        )}
      </section>
      {over.length > 0 && (
        <section class="card" aria-label="Silences that are over">
          <header class="card-head">
            <h2>Over</h2>
          </header>
          <List silences={over} data={data} now={now} again={again} change={change} />
        </section>
      )}
    </>
  );
}

interface ListProps {
  silences: Silence[];
  data: Known;
  now: bigint;
  again: () => void;
  change: Change;
}

function List({ silences, data, now, again, change }: ListProps) {
  const trouble = useSignal("");
  const alerts = alertingRules(data.groups).flatMap((rule) => rule.alerts);
  const expire = (id: string) =>
    expireSilence(id).then(
      () => again(),
      (error: unknown) => {
        trouble.value = error instanceof Error ? error.message : String(error);
      },
    );
  return (
    <>
      {trouble.value !== "" && <Notice tone="error">It could not be ended: {trouble.value}</Notice>}
      <ul class="silences">
        {silences.map((silence) => {
          const { id, state, matchers, startsAt, endsAt, createdBy, comment } = silence;
          const hit = alerts.filter(({ labels }) => isMatched(matchers, labels)).length;
          const isOver = state === "expired";
          return (
            <li key={id}>
              <span class={`state-mark state-of-silenced`}>
                <Icon name={state === "pending" ? "clock" : isOver ? "done" : "silenced"} size={14} />{" "}
                {state === "pending" ? "to come" : isOver ? "over" : "active"}
              </span>
              <span class="silence-text">
                <code>{writeMatchers(matchers)}</code>
                <span>{comment}</span>
                <span class="quiet">
                  {createdBy !== "" && `${createdBy} · `}
                  {state === "pending" &&
                    startsAt !== undefined &&
                    `begins ${formatDate(startsAt, false)} · `}
                  {endsAt !== undefined &&
                    (isOver
                      ? `ended ${formatAgo(endsAt, now)}`
                      : `ends ${formatDate(endsAt, false)}, in ${formatLength(Math.max(0, Number(endsAt - now)))}`)}
                  {!isOver && ` · ${hit === 0 ? "no alert matches now" : plural(hit, "alert")}`}
                </span>
              </span>
              {isOver ? (
                <button
                  type="button"
                  class="button"
                  onClick={() => change({ silence: writeMatchers(matchers) })}
                >
                  <Icon name="again" /> Again
                </button>
              ) : (
                <button type="button" class="button" onClick={() => void expire(id)}>
                  <Icon name="close" /> Expire
                </button>
              )}
            </li>
          );
        })}
      </ul>
    </>
  );
}

const AUTHOR_KEY = "highbeam.author";
const LENGTHS = ["30m", "1h", "2h", "4h", "12h", "24h"];
const LONGEST_MS = 366 * 86_400_000;

function storedAuthor(): string {
  try {
    return window.localStorage.getItem(AUTHOR_KEY) ?? "";
  } catch {
    return "";
  }
}

function storeAuthor(author: string): void {
  try {
    window.localStorage.setItem(AUTHOR_KEY, author);
  } catch {
    // Storage is forbidden: the name is typed again next time.
  }
}

function Form({ address, change, data, again }: SilencesProps) {
  const matchersText = useSignal(address.silence ?? "");
  const length = useSignal("2h");
  const author = useSignal(storedAuthor());
  const comment = useSignal("");
  const trouble = useSignal("");
  const isSending = useSignal(false);
  useEffect(() => {
    document.getElementById(address.silence === "" ? "silence-matchers" : "silence-comment")?.focus();
  }, []);
  const matchers = parseMatchers(matchersText.value);
  const lengthMs = (parseLength(length.value) ?? 0) / 1e6;
  const isLengthWrong = !(lengthMs > 0 && lengthMs <= LONGEST_MS);
  const alerts = alertingRules(data.groups).flatMap((rule) => rule.alerts);
  const hit = matchers === undefined ? 0 : alerts.filter(({ labels }) => isMatched(matchers, labels)).length;
  const end = fromMilliseconds(Date.now() + lengthMs);
  const send = async () => {
    if (matchers === undefined || isLengthWrong || isSending.value) {
      trouble.value =
        matchers === undefined ? 'Matchers are written as alertname="HighErrorRate", job=~"api.*"' : "";
      return;
    }
    isSending.value = true;
    try {
      const startsAtMs = Date.now();
      storeAuthor(author.value.trim());
      await postSilence({
        matchers,
        startsAtMs,
        endsAtMs: startsAtMs + lengthMs,
        createdBy: author.value.trim(),
        comment: comment.value.trim(),
      });
      again();
      change({ silence: undefined, tab: "silences", rule: "" });
    } catch (error) {
      trouble.value = error instanceof Error ? error.message : String(error);
    }
    isSending.value = false;
  };
  return (
    <form
      class="card silence-form"
      aria-label="New silence"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <h2>New silence</h2>
      <label class="labelled">
        <span>Matchers: an alert has to match all of them</span>
        <input
          id="silence-matchers"
          class={`field silence-matchers ${matchers === undefined && matchersText.value.trim() !== "" ? "wrong" : ""}`}
          value={matchersText.value}
          placeholder='alertname="HighErrorRate", job=~"api.*"'
          autocomplete="off"
          spellcheck={false}
          aria-invalid={matchers === undefined}
          onInput={(event) => (matchersText.value = event.currentTarget.value)}
        />
      </label>
      <div class="silence-fields">
        <label class="labelled">
          <span>For how long</span>
          <input
            class={`field ${isLengthWrong ? "wrong" : ""}`}
            list="silence-lengths"
            value={length.value}
            autocomplete="off"
            aria-invalid={isLengthWrong}
            onInput={(event) => (length.value = event.currentTarget.value)}
          />
          <datalist id="silence-lengths">
            {LENGTHS.map((text) => (
              <option key={text} value={text} />
            ))}
          </datalist>
        </label>
        <label class="labelled">
          <span>Your name</span>
          <input
            class="field"
            value={author.value}
            required
            autocomplete="name"
            onInput={(event) => (author.value = event.currentTarget.value)}
          />
        </label>
        <label class="labelled silence-comment">
          <span>Why</span>
          <input
            id="silence-comment"
            class="field"
            value={comment.value}
            required
            placeholder="Planned move of the database"
            onInput={(event) => (comment.value = event.currentTarget.value)}
          />
        </label>
      </div>
      <p class="quiet" role="status">
        {matchers === undefined
          ? 'Write matchers as alertname="HighErrorRate", job=~"api.*"'
          : `${hit === 0 ? "No alert matches now" : `${plural(hit, "alert")} of ${alerts.length} match now`}`}
        {isLengthWrong ? "; write the length as 30m, 2h or 24h" : `; until ${formatDate(end, false)}`}
      </p>
      {trouble.value !== "" && (
        <p class="wrong-text" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="detail-actions">
        <button type="submit" class="button primary" disabled={isSending.value} aria-busy={isSending.value}>
          <Icon name="silenced" /> Silence
        </button>
        <button type="button" class="button" onClick={() => change({ silence: undefined })}>
          Cancel
        </button>
      </div>
    </form>
  );
}
