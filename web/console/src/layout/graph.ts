// Where the services of a graph stand and how the lines between them run, by dagre.
import { Graph, layout } from "@dagrejs/dagre";
import type { GraphEdge, GraphNode, ServiceGraph } from "../model/graph.ts";

export interface PlacedNode {
  node: GraphNode;
  /** The centre. */
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface PlacedEdge {
  edge: GraphEdge;
  /** An SVG path. */
  path: string;
  /** The tip, and the direction in degrees it points to. */
  tip: { x: number; y: number; degrees: number };
  label: { x: number; y: number };
}

export interface PlacedGraph {
  nodes: PlacedNode[];
  edges: PlacedEdge[];
  width: number;
  height: number;
}

export const NODE_WIDTH = 208;
export const NODE_HEIGHT = 78;
const LABEL_WIDTH = 124;
const LABEL_HEIGHT = 34;
const MARGIN = 20;

export type Direction = "LR" | "TB";

export function placed(graph: ServiceGraph, direction: Direction): PlacedGraph {
  const drawing = new Graph({ multigraph: true });
  drawing.setGraph({
    rankdir: direction,
    nodesep: 34,
    ranksep: 54,
    edgesep: 22,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  drawing.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) {
    drawing.setNode(node.service, { width: NODE_WIDTH, height: NODE_HEIGHT });
  }
  const known = new Set(graph.nodes.map((node) => node.service));
  const edges = graph.edges.filter((edge) => known.has(edge.from) && known.has(edge.to));
  for (const edge of edges) {
    drawing.setEdge(
      edge.from,
      edge.to,
      { width: LABEL_WIDTH, height: LABEL_HEIGHT, labelpos: "c" },
      edge.kind,
    );
  }
  layout(drawing);
  const size = drawing.graph() as { width?: number; height?: number };
  return {
    nodes: graph.nodes.map((node) => {
      const { x = 0, y = 0 } = drawing.node(node.service) as { x?: number; y?: number };
      return { node, x, y, width: NODE_WIDTH, height: NODE_HEIGHT };
    }),
    edges: edges.map((edge) => {
      const drawn = drawing.edge(edge.from, edge.to, edge.kind) as DrawnEdge;
      return placedEdge(edge, drawn);
    }),
    width: Math.max(1, size.width ?? 1),
    height: Math.max(1, size.height ?? 1),
  };
}

interface DrawnEdge {
  points: { x: number; y: number }[];
  x?: number;
  y?: number;
}

function placedEdge(edge: GraphEdge, drawn: DrawnEdge): PlacedEdge {
  const { points } = drawn;
  const last = points.at(-1) ?? { x: 0, y: 0 };
  const before = points.at(-2) ?? last;
  const middle = points[Math.floor(points.length / 2)] ?? last;
  return {
    edge,
    path: curve(points),
    tip: { ...last, degrees: (Math.atan2(last.y - before.y, last.x - before.x) * 180) / Math.PI },
    label: { x: drawn.x ?? middle.x, y: drawn.y ?? middle.y },
  };
}

/** A smooth line through the first and the last point that is drawn to those between. */
export function curve(points: readonly { x: number; y: number }[]): string {
  const at = ({ x, y }: { x: number; y: number }) => `${Number(x.toFixed(1))} ${Number(y.toFixed(1))}`;
  const [first, ...rest] = points;
  const last = rest.at(-1);
  if (first === undefined || last === undefined) {
    return "";
  }
  let path = `M${at(first)}`;
  for (let index = 0; index < rest.length - 1; index += 1) {
    const here = rest[index] ?? last;
    const next = rest[index + 1] ?? last;
    const isLast = index === rest.length - 2;
    path += `Q${at(here)} ${at(isLast ? last : { x: (here.x + next.x) / 2, y: (here.y + next.y) / 2 })}`;
  }
  return rest.length === 1 ? `${path}L${at(last)}` : path;
}
