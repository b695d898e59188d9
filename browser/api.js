// The public API, as this page calls it: the key in a header, a busy API asked again, an error as one line.

const RETRIES = 2;
const LONGEST_WAIT_SECONDS = 20;
const SECONDS = 35; // API Gateway gives up after 30
const BUSY = [429, 503];

/** What went wrong, in one line. `status` is 0 when no answer came. */
export class ApiError extends Error {
  constructor(status, text) {
    super(text);
    this.status = status;
  }
}

/**
 * Return a function that gives the calls of the API at this address, until its signal is aborted: what is answered
 * later is answered to nobody. `onBusy` is told the seconds until a busy API is asked again.
 */
export function connect(baseUrl, key, onBusy) {
  const root = baseUrl.replace(/\/+$/, "");
  const unanswered = new Map(); // path and body of a create -> its Idempotency-Key, until it is known what became of it

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

  /** Create what happens once, however often it is asked for: until it is answered, an equal body has the same key. */
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

/** Return the call, whose answer is dropped once the signal is aborted; what waits for it then waits for ever. */
function until(signal, made) {
  return (...given) =>
    new Promise((resolve, reject) => {
      made(...given).then(
        (value) => signal.aborted || resolve(value),
        (error) => signal.aborted || reject(error),
      );
    });
}

/** Send a request, with the key to this address alone: a redirect is an error. */
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
    // A browser does not say which of these it was.
    const refusal = `, or does not allow pages of ${location.origin} (AllowedOrigins)`;
    throw new ApiError(0, `${url.origin} does not answer${url.origin === location.origin ? "" : refusal}.`);
  }
}

/** Deleting what is gone already has succeeded. */
async function remove(call) {
  try {
    await call;
  } catch (error) {
    if (error.status !== 404) throw error;
  }
}

/** Read an error in the API's shape, or in API Gateway's. */
async function refusal(answer) {
  const body = await answer.json().catch(() => ({}));
  const text = body?.error?.message ?? body?.message ?? answer.statusText;
  const id = answer.headers.get("x-request-id");
  return new ApiError(answer.status, `${answer.status}: ${text}${id ? ` (${id})` : ""}`);
}

function randomKey() {
  // crypto.randomUUID exists only on pages that came by HTTPS or from this machine.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
