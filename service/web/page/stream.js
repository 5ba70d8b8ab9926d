// The stream of news: connects, and connects again when the service is away or comes back.

const WAIT_MS = 1000;
const WAIT_MAX_MS = 10_000;

/**
 * Calls `handlers[event](data)` for "snapshot" and "news", and `handlers.state(kind)` with "live",
 * "lost" (it is being tried again) or "asleep". A hidden page gives its connection back: browsers
 * have six for a service, and nobody looks.
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
    // The browser would try again by itself after some failures only, and not after a refusal.
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
