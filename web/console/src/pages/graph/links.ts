// From a part of the graph to the traces behind it.
import type { GraphEdge } from "../../model/graph.ts";
import { EVERYTHING, encodeSearch } from "../../state/addresses.ts";
import { address } from "../../state/location.ts";
import type { Range } from "../../state/range.ts";

export function tracesOfService(service: string, errors: boolean, range: Range): string {
  return address("/traces", encodeSearch({ ...EVERYTHING, service, errors, range }));
}

/** The search has no caller and callee: the traces of the one that is called hold the calls. */
export function tracesOfEdge(edge: GraphEdge, range: Range): string {
  return tracesOfService(edge.to, edge.errorRate > 0, range);
}
