// The words that fit what is being written.
import { useEffect, useRef } from "preact/hooks";
import type { Candidate } from "../../model/syntax/complete.ts";

const MARKS: Record<Candidate["kind"], [string, string]> = {
  function: ["ƒ", "function"],
  keyword: ["k", "keyword"],
  metric: ["m", "metric"],
  label: ["l", "label"],
  value: ["v", "value"],
  duration: ["t", "duration"],
};

interface CandidatesProps {
  id: string;
  candidates: Candidate[];
  at: number;
  onChoose: (candidate: Candidate) => void;
  onPoint: (at: number) => void;
}

export function Candidates({ id, candidates, at, onChoose, onPoint }: CandidatesProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    box.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: "nearest" });
  }, [at, candidates]);
  return (
    <div ref={box} id={id} class="candidates" role="listbox" aria-label="What fits here">
      {candidates.map((candidate, index) => {
        const [mark, word] = MARKS[candidate.kind];
        return (
          // biome-ignore lint/a11y/useKeyWithClickEvents: keys are the text area's, which has the focus
          // biome-ignore lint/a11y/useFocusableInteractive: the text area keeps the focus
          <div
            key={`${candidate.kind} ${candidate.text}`}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            class={`candidate candidate-${candidate.kind}`}
            onPointerMove={() => index !== at && onPoint(index)}
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => onChoose(candidate)}
          >
            <span class="candidate-mark" title={word} aria-hidden="true">
              {mark}
            </span>
            <span class="candidate-text">{candidate.text}</span>
            <span class="candidate-detail">{candidate.detail}</span>
          </div>
        );
      })}
    </div>
  );
}
