// Pages whose script is loaded when they are first opened.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api/client.ts";
import { Failure, Loading } from "./states.tsx";

/** A page that stands for one that is not here yet. `title` is what it is called until then. */
export function lazyPage<P extends object>(
  title: string,
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [, setTurn] = useState(0);
    const [failed, setFailed] = useState(false);
    const [attempt, setAttempt] = useState(0);
    useEffect(() => {
      if (loaded === undefined) {
        load().then(
          (page) => {
            loaded = page;
            setTurn((turn) => turn + 1);
          },
          () => setFailed(true),
        );
      }
    }, [attempt]);
    if (loaded !== undefined) {
      const Page = loaded;
      return <Page {...props} />;
    }
    return (
      <main class="page" id="main">
        <header class="page-head">
          <h1>{title}</h1>
        </header>
        {failed ? (
          <Failure
            title="This page could not be loaded"
            error={
              new ApiError(
                "unreachable",
                "Its script did not come. Is the console still running? After an update of the console, load the whole page anew.",
              )
            }
            again={() => {
              setFailed(false);
              setAttempt(attempt + 1);
            }}
          >
            <button type="button" class="button" onClick={() => window.location.reload()}>
              Load the page anew
            </button>
          </Failure>
        ) : (
          <Loading what="the page" />
        )}
      </main>
    );
  };
}
