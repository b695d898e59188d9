// Calls the public API: sends the key in a header, retries while the API is busy, turns an error into one line, and
// reads the events of a stream.

const RETRIES = 2;
const LONGEST_WAIT_SECONDS = 20;
const SECONDS = 35; // API Gateway gives up after 30
const SECONDS_OF_A_STREAM = 630; // a run expires after 600
const BUSY = [429, 503];

/** An error in one line. `status` is 0 when there was no response. */
export class ApiError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/**
 * Return a function that takes an abort signal and returns the calls of the API at this address. A response that
 * arrives after the abort is dropped. `onBusy` gets the seconds until the next attempt when the API is busy.
 */
export function connect(baseUrl, key, onBusy) {
  const root = baseUrl.replace(/\/+$/, "");
  const unanswered = new Map(); // path and body of a create -> its Idempotency-Key, until its result is known

  async function call(method, path, options = {}) {
    const { query = {}, body, headers = {}, retries = RETRIES, read = (answer) => answer.json(), ending } = options;
    const url = new URL(root + path);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    for (let attempt = 0; ; attempt += 1) {
      const answer = await send(url, {
        method,
        body,
        signal: ending ?? AbortSignal.timeout(SECONDS * 1000),
        headers: { Authorization: `Bearer ${key}`, ...(body && { "Content-Type": "application/json" }), ...headers },
      });
      if (answer.ok) return read(answer);
      if (!BUSY.includes(answer.status) || attempt === retries) throw await refusal(answer);
      const seconds = Math.min(Number(answer.headers.get("retry-after")) || 2 ** attempt, LONGEST_WAIT_SECONDS);
      onBusy(seconds);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }

  /** Create exactly once: until the result is known, a retry with an equal body sends the same Idempotency-Key. */
  async function create(path, document, options = {}) {
    const body = JSON.stringify(document);
    const same = `${path} ${body}`;
    if (!unanswered.has(same)) unanswered.set(same, randomKey());
    try {
      const headers = { "Idempotency-Key": unanswered.get(same) };
      const created = await call("POST", path, { body, headers, ...options });
      unanswered.delete(same);
      return created;
    } catch (error) {
      if (error.status >= 400 && error.status < 500 && error.status !== 429) unanswered.delete(same);
      throw error;
    }
  }

  const threadPath = (thread) => `/threads/${encodeURIComponent(thread)}`;
  const messagesPath = (thread) => `${threadPath(thread)}/messages`;
  const messagePath = (thread, message) => `${messagesPath(thread)}/${encodeURIComponent(message)}`;
  const runsPath = (thread) => `${threadPath(thread)}/runs`;
  const runPath = (thread, run) => `${runsPath(thread)}/${encodeURIComponent(run)}`;
  const change = (path, document) => call("POST", path, { body: JSON.stringify(document) });
  const calls = {
    listThreads: (query) => call("GET", "/threads", { query }),
    createThread: (document) => create("/threads", document),
    retrieveThread: (thread) => call("GET", threadPath(thread)),
    modifyThread: (thread, document) => change(threadPath(thread), document),
    deleteThread: (thread) => remove(call("DELETE", threadPath(thread))),
    listMessages: (thread, query, options) => call("GET", messagesPath(thread), { query, ...options }),
    retrieveMessage: (thread, message) => call("GET", messagePath(thread, message)),
    createMessage: (thread, document) => create(messagesPath(thread), document),
    modifyMessage: (thread, message, document) => change(messagePath(thread, message), document),
    deleteMessage: (thread, message) => remove(call("DELETE", messagePath(thread, message))),
    listAssistants: (query) => call("GET", "/assistants", { query }),
    listRuns: (thread, query, options) => call("GET", runsPath(thread), { query, ...options }),
    listRunSteps: (thread, run, query) => call("GET", `${runPath(thread, run)}/steps`, { query }),
    cancelRun: (thread, run) => call("POST", `${runPath(thread, run)}/cancel`),
    // These two return the events of the run. They arrive until the signal is aborted.
    createRun: (thread, document, signal) =>
      create(runsPath(thread), { ...document, stream: true }, streamed(signal)),
    submitToolOutputs: (thread, run, outputs, signal) => {
      const body = JSON.stringify({ tool_outputs: outputs, stream: true });
      return call("POST", `${runPath(thread, run)}/submit_tool_outputs`, { body, ...streamed(signal) });
    },
  };
  return (signal) => Object.fromEntries(Object.entries(calls).map(([name, made]) => [name, until(signal, made)]));
}

/** Wrap a call so that its result is dropped after the abort. Code that awaits a dropped result never continues. */
function until(signal, made) {
  return (...given) =>
    new Promise((resolve, reject) => {
      made(...given).then(
        (value) => signal.aborted || resolve(value),
        (error) => signal.aborted || reject(error),
      );
    });
}

const streamed = (signal) => ({
  read: events,
  ending: AbortSignal.any([signal, AbortSignal.timeout(SECONDS_OF_A_STREAM * 1000)]),
});

/** Yield the events of a stream, each with its name and data. A stream that breaks off ends: its run goes on. */
async function* events(answer) {
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await reader.read().catch(() => ({ done: true }));
    if (done) return;
    const frames = (text + value).split("\n\n");
    text = frames.pop();
    for (const frame of frames) {
      const [, name, data] = frame.match(/^event: (.*)\ndata: (.*)$/);
      if (name !== "done") yield { name, data: JSON.parse(data) };
    }
  }
}

/** Send a request. The key goes only to this address, so a redirect is an error. */
async function send(url, options) {
  try {
    return await fetch(url, {
      ...options,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
    });
  } catch {
    // A browser does not say which of the two causes it was.
    const refusal = `, or does not allow pages of ${location.origin} (AllowedOrigins)`;
    throw new ApiError(0, `${url.origin} does not answer${url.origin === location.origin ? "" : refusal}.`);
  }
}

/** Treat a 404 as success: the object is deleted already. */
async function remove(call) {
  try {
    await call;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

/** Make an ApiError from a response in the API's shape or in API Gateway's. */
async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  const text = body?.error?.message ?? body?.message ?? answer.statusText;
  const id = answer.headers.get("x-request-id");
  return new ApiError(answer.status, `${answer.status}: ${text}${id ? ` (${id})` : ""}`);
}

function randomKey() {
  // crypto.randomUUID exists only on pages that were loaded by HTTPS or from this machine.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
