// Where a query is written: coloured as it is typed, with what fits offered, and with what the server found
// wrong marked at its place. The text is a plain text area's; the colours lie under it.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { type Candidate, candidatesFor, type Names, type Vocabulary } from "../model/syntax/complete.ts";
import { contextAt } from "../model/syntax/context.ts";
import { lex } from "../model/syntax/lexer.ts";
import { Candidates } from "./editor/candidates.tsx";

interface EditorProps {
  id: string;
  label: string;
  placeholder: string;
  value: string;
  vocabulary: Vocabulary;
  names: Names;
  onRun: (text: string) => void;
  /** The query that was found wrong, and where. */
  wrong?: { query: string; at: number | undefined } | undefined;
  children?: ComponentChildren;
}

interface Offer {
  candidates: Candidate[];
  from: number;
  at: number;
}

/** Puts text in the place of a stretch, so that undo still works where the browser lets it. */
function replace(area: HTMLTextAreaElement, from: number, to: number, text: string): void {
  area.focus();
  area.setSelectionRange(from, to);
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, from, to, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function useOffers(area: { current: HTMLTextAreaElement | null }, vocabulary: Vocabulary, names: Names) {
  const [offer, setOffer] = useState<Offer | undefined>(undefined);
  const turn = useRef(0);
  const close = () => {
    turn.current += 1;
    setOffer(undefined);
  };
  const ask = async (isForced: boolean) => {
    const element = area.current;
    if (element === null || element.selectionStart !== element.selectionEnd) {
      close();
      return;
    }
    const mine = turn.current + 1;
    turn.current = mine;
    const context = contextAt(element.value, element.selectionStart, vocabulary);
    // Where nothing is written yet, an offer of everything is only in the way, unless names are few there.
    const isWanted =
      isForced || context.prefix !== "" || context.what === "value" || context.what === "label";
    const candidates = isWanted ? await candidatesFor(context, vocabulary, names) : [];
    if (mine !== turn.current) {
      return;
    }
    const [only] = candidates;
    const isDone = candidates.length === 1 && only?.text === context.prefix && !isForced;
    setOffer(candidates.length === 0 || isDone ? undefined : { candidates, from: context.from, at: 0 });
  };
  return { offer, setOffer, close, ask };
}

export function Editor(props: EditorProps) {
  const { id, label, placeholder, value, vocabulary, names, onRun, wrong } = props;
  const [text, setText] = useState(value);
  const area = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const { offer, setOffer, close, ask } = useOffers(area, vocabulary, names);
  useEffect(() => setText(value), [value]);

  const choose = (candidate: Candidate | undefined) => {
    const element = area.current;
    if (candidate === undefined || offer === undefined || element === null) {
      return;
    }
    close();
    replace(element, offer.from, element.selectionStart, candidate.insert ?? candidate.text);
    const caret = element.selectionStart - (candidate.back ?? 0);
    element.setSelectionRange(caret, caret);
    if (candidate.goesOn) {
      void ask(true);
    } else {
      close();
    }
  };
  const run = () => {
    close();
    onRun(text.trim());
  };
  const move = (by: number) => {
    if (offer !== undefined) {
      const { length } = offer.candidates;
      setOffer({ ...offer, at: (offer.at + by + length) % length });
    }
  };
  const press = (event: KeyboardEvent) => {
    const isOffering = offer !== undefined;
    const deeds: Record<string, (() => void) | undefined> = {
      ArrowDown: isOffering ? () => move(1) : undefined,
      ArrowUp: isOffering ? () => move(-1) : undefined,
      Tab: isOffering && !event.shiftKey ? () => choose(offer.candidates[offer.at]) : undefined,
      Enter: event.shiftKey ? undefined : isOffering ? () => choose(offer.candidates[offer.at]) : run,
      Escape: isOffering ? close : () => area.current?.blur(),
      " ": event.ctrlKey ? () => void ask(true) : undefined,
    };
    const deed = event.isComposing ? undefined : deeds[event.key];
    if (deed !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      deed();
    }
  };
  const mark = wrong !== undefined && wrong.query === text.trim() ? wrong.at : undefined;
  return (
    <div class={`editor ${wrong !== undefined && wrong.query === text.trim() ? "wrong" : ""}`}>
      <div class="editor-field">
        <Painted text={text} vocabulary={vocabulary} mark={mark} anchor={offer?.from} />
        <textarea
          ref={area}
          id={id}
          rows={1}
          value={text}
          placeholder={placeholder}
          aria-label={label}
          aria-autocomplete="list"
          aria-controls={offer === undefined ? undefined : listId}
          aria-activedescendant={offer === undefined ? undefined : `${listId}-${offer.at}`}
          aria-invalid={mark !== undefined}
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          onInput={(event) => {
            setText(event.currentTarget.value);
            void ask(false);
          }}
          onKeyDown={press}
          onBlur={close}
          onClick={close}
        />
        {offer !== undefined && (
          <Candidates
            id={listId}
            candidates={offer.candidates}
            at={offer.at}
            onChoose={choose}
            onPoint={(at) => setOffer({ ...offer, at })}
          />
        )}
      </div>
      <button type="button" class="button primary editor-run" onClick={run} title="Run (Enter)">
        Run
      </button>
    </div>
  );
}

interface PaintedProps {
  text: string;
  vocabulary: Vocabulary;
  /** Where the server found it wrong. */
  mark: number | undefined;
  /** Where the word begins that candidates are offered for. */
  anchor: number | undefined;
}

/** The text in colours, as wide and as high as the text area above it. */
function Painted({ text, vocabulary, mark, anchor }: PaintedProps) {
  const box = useRef<HTMLPreElement>(null);
  const tokens = useMemo(() => lex(text, vocabulary), [text, vocabulary]);
  useLayoutEffect(() => {
    const element = box.current;
    const place = element?.querySelector<HTMLElement>(".editor-anchor");
    const list = element?.parentElement?.querySelector<HTMLElement>(".candidates");
    if (element && place && list) {
      const most = Math.max(0, element.clientWidth - list.offsetWidth);
      list.style.left = `${Math.min(place.offsetLeft, most)}px`;
      list.style.top = `${place.offsetTop + place.offsetHeight + 4}px`;
    }
  });
  const pieces: ComponentChildren[] = [];
  const isAtEnd = mark !== undefined && mark >= text.trimEnd().length;
  for (const token of tokens) {
    const isWrong = mark !== undefined && mark >= token.from && mark < token.to && token.kind !== "space";
    const split = anchor !== undefined && anchor >= token.from && anchor < token.to ? anchor : undefined;
    const kind = `code-${token.kind}${isWrong ? " code-wrong" : ""}`;
    if (split === undefined) {
      pieces.push(
        <span key={token.from} class={kind}>
          {token.text}
        </span>,
      );
    } else {
      pieces.push(
        <span key={token.from} class={kind}>
          {token.text.slice(0, split - token.from)}
          <span class="editor-anchor">{text[split]}</span>
          {token.text.slice(split - token.from + 1)}
        </span>,
      );
    }
  }
  return (
    <pre ref={box} class="editor-paint" aria-hidden="true">
      {pieces}
      {anchor !== undefined && anchor >= text.length && <span class="editor-anchor">{"\u200b"}</span>}
      {isAtEnd && <span class="code-wrong code-wrong-end"> </span>}
      {"\u200b"}
    </pre>
  );
}
