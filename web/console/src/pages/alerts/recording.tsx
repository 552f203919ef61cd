// Rules that record: what they write, from what, and whether they do.
import type { Group } from "../../model/alerts.ts";
import { writeLabels } from "../../model/samples.ts";
import { formatAgo, formatDate, formatLength, fromMilliseconds, SECOND } from "../../model/time.ts";
import type { AlertsAddress } from "../../state/addresses/alerts.ts";
import { encodeMetrics, NO_METRICS } from "../../state/addresses/metrics.ts";
import { address as addressOf } from "../../state/location.ts";
import { GroupHead, Health } from "./rules.tsx";

export function Recording({ groups, address }: { groups: Group[]; address: AlertsAddress }) {
  const now = fromMilliseconds(Date.now());
  const plotOf = (query: string) =>
    addressOf("/metrics-explorer", encodeMetrics({ ...NO_METRICS, query, range: address.range }));
  return (
    <>
      {groups.map((group) => (
        <section key={`${group.file} ${group.name}`} class="card" aria-label={`Group ${group.name}`}>
          <GroupHead group={group} />
          <table class="table recording">
            <thead>
              <tr>
                <th scope="col">Records</th>
                <th scope="col">Query</th>
                <th scope="col">Health</th>
                <th scope="col" class="number">
                  Took
                </th>
                <th scope="col" class="number">
                  Last
                </th>
              </tr>
            </thead>
            <tbody>
              {group.rules.map((rule) => (
                <tr key={rule.id}>
                  <th scope="row">
                    <a href={plotOf(rule.name)} title="Plot what it records">
                      {rule.name}
                    </a>
                    {Object.keys(rule.labels).length > 0 && (
                      <small class="quiet">{writeLabels(rule.labels)}</small>
                    )}
                  </th>
                  <td data-label="Query">
                    <code>{rule.query}</code>
                    {rule.lastError !== "" && <p class="wrong-text">{rule.lastError}</p>}
                  </td>
                  <td data-label="Health">{rule.health === "ok" ? "ok" : <Health rule={rule} />}</td>
                  <td data-label="Took" class="number">
                    {formatLength(rule.evaluationSeconds * SECOND)}
                  </td>
                  <td data-label="Last" class="number">
                    {rule.lastEvaluation === undefined ? (
                      <span class="quiet">never</span>
                    ) : (
                      <span title={formatDate(rule.lastEvaluation)}>
                        {formatAgo(rule.lastEvaluation, now)}
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
    </>
  );
}
