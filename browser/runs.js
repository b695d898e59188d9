// The runs of a thread, newest first: lists them, starts and cancels them, submits outputs of functions, and shows the
// events of a stream. Where the API has no runs, nothing is shown.

import { beginAnswer, endAnswer, growAnswer } from "./answer.js";
import { announce, byId, make } from "./dom.js";
import { isActive, runArticle } from "./run.js";

const PAGE = "10";
const STEPS = "100";
const ASSISTANTS = "100";
const QUIET = ["queued", "in_progress", "completed"]; // after `completed`, the answer is announced

/**
 * Return `load`, and `look`, which shows what has changed and returns whether a run is active. `attempt` runs a call
 * and shows its error, and so does `attemptStream`, whose call may take as long as a run. `follow` starts to look for
 * changes, and `now` looks once.
 */
export function threadRuns(api, threadId, { attempt, attemptStream, follow, now, signal }) {
  const list = byId("runs");
  const shown = new Map(); // the id of each run in the list -> the run in JSON
  const names = new Map(); // the id of an assistant -> its name
  let oldest = "";
  let areOn = false;

  async function load() {
    const assistants = await api.listAssistants({ limit: ASSISTANTS }).catch((error) => {
      if (error.status !== 404) throw error;
    });
    if (!assistants) return;
    const page = await api.listRuns(threadId, { limit: PAGE });
    showAssistants(assistants, page.data[0]?.assistant_id);
    restart(page);
    areOn = true;
    byId("runs-part").hidden = false; // not earlier: a run needs one of the assistants
  }

  /** Offer the assistants for the next run, and choose that of the last run. */
  function showAssistants({ data, has_more: hasMore }, last) {
    for (const { id, name } of data) names.set(id, name);
    byId("run-assistant").replaceChildren(
      ...data.map(({ id, name }) => make("option", { value: id, selected: id === last }, name ? `${name} (${id})` : id)),
      data.length === 0 ? make("option", { value: "" }, "There are no assistants yet") : "",
      hasMore ? make("option", { disabled: true }, `Only the ${ASSISTANTS} newest are listed`) : "",
    );
  }

  function restart(page) {
    list.replaceChildren();
    shown.clear();
    appendOlder(page);
  }

  async function loadOlder() {
    const page = await api.listRuns(threadId, { limit: PAGE, after: oldest });
    appendOlder(page);
    byId(`run-${page.first_id}`)?.focus();
  }

  function appendOlder(page) {
    for (const run of page.data) list.append(article(run, { isOpen: shown.size === 0 }));
    oldest = page.last_id ?? oldest;
    byId("older-runs").hidden = !page.has_more;
  }

  async function look() {
    if (!areOn) return false;
    const page = await api.listRuns(threadId, { limit: PAGE }, { retries: 0 });
    const isApart = page.has_more && !page.data.some((run) => shown.has(run.id));
    if (isApart) restart(page);
    else page.data.toReversed().forEach(show);
    return page.data.some(isActive);
  }

  /** Show a run that is new or has changed. */
  function show(run) {
    if (shown.get(run.id) === JSON.stringify(run)) return;
    const old = byId(`run-${run.id}`);
    const hadFocus = old?.contains(document.activeElement);
    const fresh = article(run, { isOpen: old?.querySelector("details").open ?? true });
    if (old) old.replaceWith(fresh);
    else list.prepend(fresh);
    if (hadFocus) fresh.focus();
    if (!QUIET.includes(run.status)) announce(`Run: ${run.status}.`);
  }

  function article(run, { isOpen }) {
    shown.set(run.id, JSON.stringify(run));
    return runArticle(run, {
      assistant: names.get(run.assistant_id),
      isOpen,
      loadSteps: (showSteps) =>
        attempt(async () => showSteps(await api.listRunSteps(threadId, run.id, { limit: STEPS }))),
      cancel: () =>
        attempt(async () => {
          await api.cancelRun(threadId, run.id);
          await follow();
        }),
      submit: (outputs) => stream(() => api.submitToolOutputs(threadId, run.id, outputs, signal)),
    });
  }

  /** Ask for a stream and show its events. They may come late or end early, so changes are looked for as well. */
  function stream(request) {
    attemptStream(async () => {
      await follow();
      showEvents(await request());
    });
  }

  async function showEvents(events) {
    let answer;
    for await (const { name, data } of events) {
      if (data.object === "thread.run") show(data);
      else if (name === "thread.message.created") {
        answer = data.id;
        beginAnswer(answer);
      } else if (name === "thread.message.delta") growAnswer(data);
    }
    await now();
    endAnswer(answer); // the answer of a run that failed is not stored
  }

  byId("run-form").onsubmit = (event) => {
    event.preventDefault();
    const assistant = byId("run-assistant").value;
    stream(() => api.createRun(threadId, { assistant_id: assistant }, signal));
  };
  byId("older-runs").onclick = () => attempt(loadOlder);
  byId("runs-part").hidden = true;
  for (const name of ["runs", "answer"]) byId(name).replaceChildren();
  return { load, look };
}
