// The event stream: connects, and reconnects after the connection was lost.

const WAIT_MS = 1000;
const WAIT_MAX_MS = 10_000;

/**
 * Calls `handlers[event](data)` for "snapshot" and "news", and `handlers.state(kind)` with "live",
 * "lost" (it is reconnecting) or "asleep". A hidden page closes its connection, since browsers
 * allow only six for each host.
 */
export function listen(handlers) {
  let source = null;
  let timer = 0;
  let wait = WAIT_MS;

  function close() {
    clearTimeout(timer);
    if (source) source.close();
    source = null;
  }

  function again() {
    close();
    handlers.state("lost");
    timer = setTimeout(open, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 1.6, WAIT_MAX_MS);
  }

  function open() {
    close();
    source = new EventSource("feed");
    for (const name of ["snapshot", "news"]) {
      source.addEventListener(name, (event) => {
        handlers[name](JSON.parse(event.data));
        wait = WAIT_MS;
      });
    }
    source.addEventListener("snapshot", () => handlers.state("live"));
    // The browser by itself reconnects only after some failures, and not after an error status.
    source.addEventListener("end", again);
    source.onerror = again;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
      handlers.state("asleep");
    } else {
      wait = WAIT_MS;
      open();
    }
  });
  open();
}
