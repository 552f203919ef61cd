// The graph as a drawing that can be moved and scaled. Every part of it is a link to its traces.
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import {
  type Direction,
  type PlacedEdge,
  type PlacedGraph,
  type PlacedNode,
  placed,
} from "../../layout/graph.ts";
import { formatRate, formatShare } from "../../model/count.ts";
import { health, type ServiceGraph } from "../../model/graph.ts";
import { formatLength } from "../../model/time.ts";
import { type Size, useSize } from "../../parts/canvas.ts";
import { Icon, pathOf } from "../../parts/icons.tsx";
import { serviceClass } from "../../parts/service.tsx";
import type { GraphAddress } from "../../state/addresses.ts";
import { HEALTH_ICONS } from "./legend.tsx";
import { tracesOfEdge, tracesOfService } from "./links.ts";

interface DrawingProps {
  graph: ServiceGraph;
  direction: Direction;
  address: GraphAddress;
}

interface Camera {
  x: number;
  y: number;
  scale: number;
}

const SCALE_LEAST = 0.15;
const SCALE_MOST = 2.5;

/** The whole in the middle; never larger than drawn, and on a small screen never too small to read. */
function fitting(drawing: PlacedGraph, size: Size): Camera {
  const scale = Math.min(1.15, size.width / drawing.width, size.height / drawing.height);
  const readable = Math.max(scale, Math.min(0.62, 1));
  const x = Math.max(0, (size.width - drawing.width * readable) / 2);
  const y = Math.max(0, (size.height - drawing.height * readable) / 2);
  return { x, y, scale: readable };
}

function useCamera(drawing: PlacedGraph, size: Size) {
  const moved = useSignal<Camera | undefined>(undefined);
  useEffect(() => {
    moved.value = undefined;
  }, [drawing.width, drawing.height]);
  const camera = moved.value ?? fitting(drawing, size);
  const scaleAt = (factor: number, x: number, y: number) => {
    const scale = Math.min(SCALE_MOST, Math.max(SCALE_LEAST, camera.scale * factor));
    const by = scale / camera.scale;
    moved.value = { scale, x: x - (x - camera.x) * by, y: y - (y - camera.y) * by };
  };
  return { camera, moved, scaleAt };
}

export function Drawing({ graph, direction, address }: DrawingProps) {
  const frame = useRef<HTMLDivElement>(null);
  const size = useSize(frame);
  const drawing = useMemo(() => placed(graph, direction), [graph, direction]);
  const { camera, moved, scaleAt } = useCamera(drawing, size);
  const grabbed = useRef<{ x: number; y: number; camera: Camera; isDrag: boolean } | undefined>(undefined);
  const lit = useSignal("");
  useWheel(frame, scaleAt);
  const middle = { x: size.width / 2, y: size.height / 2 };
  return (
    <div
      ref={frame}
      class="drawing card"
      onPointerDown={(event) => {
        grabbed.current = { x: event.clientX, y: event.clientY, camera, isDrag: false };
      }}
      onPointerMove={(event) => {
        const held = grabbed.current;
        if (held === undefined) {
          return;
        }
        const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
        if (held.isDrag || Math.hypot(dx, dy) > 5) {
          if (!held.isDrag) {
            held.isDrag = true;
            event.currentTarget.setPointerCapture(event.pointerId);
          }
          moved.value = { ...held.camera, x: held.camera.x + dx, y: held.camera.y + dy };
        }
      }}
      onPointerUp={() => {
        // The click that ends a drag comes after this, and must not follow a link.
        setTimeout(() => (grabbed.current = undefined));
      }}
      onPointerCancel={() => (grabbed.current = undefined)}
      onClickCapture={(event) => {
        if (grabbed.current?.isDrag) {
          event.preventDefault();
          event.stopPropagation();
        }
      }}
    >
      {/* biome-ignore lint/a11y/useSemanticElements: a drawing is no set of fields */}
      <svg
        width={size.width}
        height={size.height}
        role="group"
        aria-label="Services and the calls between them"
      >
        <g transform={`translate(${camera.x} ${camera.y}) scale(${camera.scale})`}>
          {drawing.edges.map((edge) => (
            <EdgeLine key={keyOf(edge)} placed={edge} lit={lit.value} />
          ))}
          {drawing.nodes.map((node) => (
            <NodeBox
              key={node.node.service}
              placed={node}
              address={address}
              lit={lit.value}
              edges={drawing.edges}
              onLit={(at) => (lit.value = at)}
            />
          ))}
          {drawing.edges.map((edge) => (
            <EdgeLabel
              key={keyOf(edge)}
              placed={edge}
              lit={lit.value}
              onLit={(at) => (lit.value = at)}
              href={tracesOfEdge(edge.edge, address.range)}
            />
          ))}
        </g>
      </svg>
      <div class="drawing-tools">
        <button
          type="button"
          class="icon-button"
          aria-label="Larger"
          title="Larger"
          onClick={() => scaleAt(1.3, middle.x, middle.y)}
        >
          <Icon name="plus" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Smaller"
          title="Smaller"
          onClick={() => scaleAt(1 / 1.3, middle.x, middle.y)}
        >
          <Icon name="minus" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Fit"
          title="Fit"
          onClick={() => (moved.value = undefined)}
        >
          <Icon name="fit" />
        </button>
      </div>
    </div>
  );
}

function useWheel(
  frame: { current: HTMLElement | null },
  scaleAt: (factor: number, x: number, y: number) => void,
): void {
  const latest = useRef(scaleAt);
  latest.current = scaleAt;
  useEffect(() => {
    const element = frame.current;
    const turn = (event: WheelEvent) => {
      event.preventDefault();
      const edge = element?.getBoundingClientRect();
      latest.current(
        Math.exp(-event.deltaY * 0.0015),
        event.clientX - (edge?.left ?? 0),
        event.clientY - (edge?.top ?? 0),
      );
    };
    element?.addEventListener("wheel", turn, { passive: false });
    return () => element?.removeEventListener("wheel", turn);
  }, []);
}

function keyOf({ edge }: PlacedEdge): string {
  return `${edge.from} ${edge.to} ${edge.kind}`;
}

/** Whether an edge stays bright while something else is pointed at. */
function isLit(edge: PlacedEdge, lit: string): boolean {
  return lit === "" || lit === keyOf(edge) || lit === edge.edge.from || lit === edge.edge.to;
}

function EdgeLine({ placed: drawn, lit }: { placed: PlacedEdge; lit: string }) {
  const { edge, path, tip } = drawn;
  return (
    <g class={`edge edge-${edge.kind} health-${health(edge.errorRate)} ${isLit(drawn, lit) ? "" : "dim"}`}>
      <path class="edge-line" d={path} />
      <path
        class="edge-tip"
        d="M0 0L-9 -5L-9 5Z"
        transform={`translate(${tip.x} ${tip.y}) rotate(${tip.degrees})`}
      />
    </g>
  );
}

interface LabelProps {
  placed: PlacedEdge;
  lit: string;
  onLit: (at: string) => void;
  href: string;
}

function EdgeLabel({ placed: drawn, lit, onLit, href }: LabelProps) {
  const { edge, label } = drawn;
  const isBad = edge.errorRate > 0;
  const says = `${edge.from} to ${edge.to}, ${edge.kind === "async" ? "asynchronous" : "waiting"}: ${formatRate(edge.perSecond)}, ${formatShare(edge.errorRate)} errors, p95 ${formatLength(edge.p95)}`;
  return (
    <a
      class={`edge-label health-${health(edge.errorRate)} ${isLit(drawn, lit) ? "" : "dim"}`}
      href={href}
      aria-label={says}
      onMouseEnter={() => onLit(keyOf(drawn))}
      onMouseLeave={() => onLit("")}
      onFocus={() => onLit(keyOf(drawn))}
      onBlur={() => onLit("")}
    >
      <title>{says}</title>
      <rect x={label.x - 58} y={label.y - 16} width={116} height={32} rx={6} />
      <text x={label.x} y={label.y - 3}>
        {formatRate(edge.perSecond)} · {formatLength(edge.p95)}
      </text>
      <text x={label.x} y={label.y + 11} class={isBad ? "edge-errors" : "edge-how"}>
        {isBad ? `◆ ${formatShare(edge.errorRate)} errors` : edge.kind === "async" ? "async" : "no errors"}
      </text>
    </a>
  );
}

interface NodeProps {
  placed: PlacedNode;
  address: GraphAddress;
  lit: string;
  edges: PlacedEdge[];
  onLit: (at: string) => void;
}

function NodeBox({ placed: drawn, address, lit, edges, onLit }: NodeProps) {
  const { node, x, y, width, height } = drawn;
  const [left, top] = [x - width / 2, y - height / 2];
  const isNear =
    lit === "" ||
    lit === node.service ||
    edges.some(
      (edge) => (edge.edge.from === node.service || edge.edge.to === node.service) && isLit(edge, lit),
    );
  const state = health(node.errorRate);
  const says = `${node.service}: ${formatRate(node.perSecond)}, ${formatShare(node.errorRate)} errors, p50 ${formatLength(node.p50)}, p95 ${formatLength(node.p95)}`;
  return (
    <a
      class={`node health-${state} ${serviceClass(node.service)} ${isNear ? "" : "dim"}`}
      href={tracesOfService(node.service, node.errorRate > 0 && address.errorsOnly, address.range)}
      aria-label={says}
      onMouseEnter={() => onLit(node.service)}
      onMouseLeave={() => onLit("")}
      onFocus={() => onLit(node.service)}
      onBlur={() => onLit("")}
    >
      <title>{says}</title>
      <rect class="node-box" x={left} y={top} width={width} height={height} rx={10} />
      <rect class="node-colour" x={left + 12} y={top + 14} width={10} height={10} rx={3} />
      <text class="node-name" x={left + 29} y={top + 23}>
        {node.service.length > 18 ? `${node.service.slice(0, 17)}…` : node.service}
      </text>
      <g class="node-health" transform={`translate(${left + width - 26} ${top + 11})`}>
        <path d={pathOf(HEALTH_ICONS[state])} />
      </g>
      {(
        [
          ["rate", formatRate(node.perSecond)],
          ["errors", formatShare(node.errorRate)],
          ["p95", formatLength(node.p95)],
        ] as const
      ).map(([word, value], at) => (
        <g key={word}>
          <text class="node-word" x={left + 12 + at * 66} y={top + 46}>
            {word}
          </text>
          <text
            class={`node-value ${word === "errors" ? "node-errors" : ""}`}
            x={left + 12 + at * 66}
            y={top + 63}
          >
            {value}
          </text>
        </g>
      ))}
    </a>
  );
}
