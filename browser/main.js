// The page: connects to an API, opens threads and shows errors.

import { connect } from "./api.js";
import { openConversation } from "./conversation.js";
import { newThread } from "./dialogs.js";
import { announce, byId } from "./dom.js";
import { threadList } from "./threads.js";

// The address and the key survive a reload of this tab only: sessionStorage ends with the tab.
const STORED = "message-api";

let session; // the AbortController of the connection
let connection;
let threads;
let conversation;

/**
 * Return `attempt` and `report`. `attempt` runs the reader's actions one after the other. `report` shows an error with
 * a way to retry. The error stays until the next attempt of the same queue.
 */
function queue() {
  let last = Promise.resolve();
  const own = {};
  function attempt(work) {
    last = last.then(async () => {
      hideProblem(own);
      try {
        await work();
        hideProblem(own);
      } catch (error) {
        report(error, () => attempt(work));
      }
    });
  }
  function report(error, again) {
    const isRefused = error.status === 401;
    if (isRefused) disconnect();
    showProblem(error.message, isRefused ? undefined : again, own);
  }
  return { attempt, report };
}

let problemOwner;

function showProblem(text, again, owner) {
  problemOwner = owner;
  byId("problem-text").textContent = text;
  byId("problem-again").hidden = !again;
  byId("problem-again").onclick = again;
  byId("problem").hidden = false;
}

/** Hide the error if this owner has shown it. Without an owner, hide any error. */
function hideProblem(owner) {
  if (owner && problemOwner && owner !== problemOwner) return;
  byId("problem").hidden = true;
  byId("problem-text").textContent = "";
}

function onBusy(seconds) {
  const text = `The API is busy; it is asked again in ${seconds} s.`;
  if (byId("dialog").open) byId("dialog-problem").textContent = text;
  else showProblem(text);
}

function start({ baseUrl, key }) {
  session = new AbortController();
  connection = connect(baseUrl, key, onBusy);
  const { attempt } = queue();
  threads = threadList(connection(session.signal), attempt);
  byId("new-thread").onclick = () =>
    newThread(async (document) => {
      const thread = await connection(session.signal).createThread(document);
      attempt(threads.load);
      location.hash = thread.id;
    });
  byId("where").textContent = baseUrl;
  show(true);
  attempt(threads.load);
  openFromAddress();
}

function show(isConnected) {
  for (const id of ["app", "connected", "skip"]) byId(id).hidden = !isConnected;
  byId("connect").hidden = isConnected;
}

function disconnect() {
  sessionStorage.removeItem(STORED);
  session.abort();
  connection = undefined;
  close();
  for (const id of ["threads", "messages", "answer", "runs", "run-assistant", "thread-about"]) byId(id).replaceChildren();
  show(false);
  byId("api-key").focus();
}

function close() {
  conversation?.close();
  conversation = undefined;
  byId("dialog").close();
  byId("conversation").hidden = true;
  byId("nothing-open").hidden = false;
  document.body.dataset.view = "list";
}

/** Open the thread whose id is the fragment of the address, so that a thread can be bookmarked. */
function openFromAddress() {
  if (!connection) return;
  close();
  const id = decodeURIComponent(location.hash.slice(1));
  threads.select(id);
  if (!id.startsWith("thread_")) return;
  const { attempt, report } = queue();
  conversation = openConversation(connection, id, {
    attempt,
    attemptStream: queue().attempt,
    report,
    onChange: (thread) => threads.update(thread),
    onDelete: (gone) => {
      threads.remove(gone);
      location.hash = "";
      announce("The thread was deleted.");
      setTimeout(() => byId("threads-title").focus());
    },
  });
  byId("conversation").hidden = false;
  byId("nothing-open").hidden = true;
  document.body.dataset.view = "thread";
  attempt(conversation.load);
  byId("thread-title").focus({ preventScroll: true });
}

byId("connect-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const chosen = { baseUrl: byId("base-url").value.trim(), key: byId("api-key").value.trim() };
  sessionStorage.setItem(STORED, JSON.stringify(chosen));
  byId("api-key").value = "";
  hideProblem();
  start(chosen);
  if (!conversation) byId("threads-title").focus();
});
byId("disconnect").addEventListener("click", () => {
  hideProblem();
  disconnect();
});
byId("problem-close").addEventListener("click", () => hideProblem());
byId("back").addEventListener("click", () => {
  location.hash = "";
  setTimeout(() => byId("threads-title").focus());
});
byId("skip").addEventListener("click", () => byId(conversation ? "thread-title" : "nothing-open").focus());
window.addEventListener("hashchange", openFromAddress);

const isLocal = ["127.0.0.1", "localhost"].includes(location.hostname);
byId("base-url").value = isLocal ? new URL("/v1", location.origin).href : "";
const stored = sessionStorage.getItem(STORED);
if (stored) start(JSON.parse(stored));
else show(false);
