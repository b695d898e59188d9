// Calls the public API: sends the key in a header, retries while the API is busy, and turns an error into one line.

const RETRIES = 2;
const LONGEST_WAIT_SECONDS = 20;
const SECONDS = 35; // API Gateway gives up after 30
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
    const { query = {}, body, headers = {}, retries = RETRIES } = options;
    const url = new URL(root + path);
    for (const [name, value] of Object.entries(query)) if (value) url.searchParams.set(name, value);
    for (let attempt = 0; ; attempt += 1) {
      const answer = await send(url, {
        method,
        body,
        headers: { Authorization: `Bearer ${key}`, ...(body && { "Content-Type": "application/json" }), ...headers },
      });
      if (answer.ok) return answer.json();
      if (!BUSY.includes(answer.status) || attempt === retries) throw await refusal(answer);
      const seconds = Math.min(Number(answer.headers.get("retry-after")) || 2 ** attempt, LONGEST_WAIT_SECONDS);
      onBusy(seconds);
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    }
  }

  /** Create exactly once: until the result is known, a retry with an equal body sends the same Idempotency-Key. */
  async function create(path, document) {
    const body = JSON.stringify(document);
    const same = `${path} ${body}`;
    if (!unanswered.has(same)) unanswered.set(same, randomKey());
    try {
      const created = await call("POST", path, { body, headers: { "Idempotency-Key": unanswered.get(same) } });
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

/** Send a request. The key goes only to this address, so a redirect is an error. */
async function send(url, options) {
  try {
    return await fetch(url, {
      ...options,
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(SECONDS * 1000),
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
