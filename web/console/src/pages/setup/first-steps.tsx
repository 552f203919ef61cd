// Shown where nothing has arrived yet: what to do so that something does.

import type { Ports } from "../../model/overview.ts";
import { Snippet } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icons.tsx";
import { endpointsOf, environment, trySpan } from "./snippets.ts";

export function FirstSteps({ ports }: { ports: Ports }) {
  const endpoints = endpointsOf(window.location.origin, window.location.hostname, ports);
  return (
    <section class="card first-steps" aria-label="First steps">
      <header>
        <span class="waiting" aria-hidden="true" />
        <div>
          <h2>Nothing has arrived yet</h2>
          <p class="quiet">This page looks again every two seconds. Point something at the console:</p>
        </div>
      </header>
      <ol>
        <li>
          <h3>Any OpenTelemetry SDK: set these, and start your program</h3>
          <Snippet text={environment(endpoints)} label="the environment" />
        </li>
        <li>
          <h3>Or send one span by hand</h3>
          <Snippet text={trySpan(endpoints)} label="the command" />
        </li>
        <li>
          <h3>Or read on for your language</h3>
          <p>
            <a class="button primary" href="/setup">
              <Icon name="setup" /> Guides by language
            </a>
          </p>
        </li>
      </ol>
    </section>
  );
}
