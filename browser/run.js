// Shows one run: its status, its error and its usage, and its steps with the calls of functions.

import { button, make, pairs, time } from "./dom.js";

const ACTIVE = ["queued", "in_progress", "requires_action"];
const FINE = [...ACTIVE, "completed", "cancelling", "cancelled"];

export const isActive = (run) => ACTIVE.includes(run.status);

/**
 * Return a run as an article. `assistant` is the name of its assistant, if it has one. When the steps are opened,
 * `loadSteps` gets a function that shows them. The buttons call `cancel`, and `submit` with the outputs.
 */
export function runArticle(run, { assistant, isOpen, loadSteps, cancel, submit }) {
  const steps = make("form", { class: "steps", submit: onSubmit });
  const details = make("details", { toggle: onToggle, open: isOpen }, make("summary", {}, "Steps"), steps);

  function onToggle() {
    // Several events of a stream may have replaced the article by now.
    if (details.isConnected && details.open && !steps.hasChildNodes()) loadSteps((page) => steps.replaceChildren(...stepList(page, run)));
  }

  function onSubmit(event) {
    event.preventDefault();
    const fields = Array.from(steps.querySelectorAll("textarea"));
    submit(fields.map((field) => ({ tool_call_id: field.name, output: field.value })));
  }

  const reason = run.incomplete_details?.reason;
  const { model, usage } = run;
  const tokens = usage && { prompt_tokens: usage.prompt_tokens, completion_tokens: usage.completion_tokens };
  return make(
    "article",
    { class: "message run", id: `run-${run.id}`, tabindex: "-1", "aria-label": `Run, ${run.status}` },
    make("header", {}, make("h4", {}, "Run"), time(run.created_at), status(reason ? `incomplete: ${reason}` : run.status)),
    failure(run),
    pairs({ ...(assistant && { assistant }), model, ...tokens }),
    pairs(run.metadata),
    details,
    make(
      "footer",
      {},
      make("span", { class: "id" }, run.id),
      make("span", { class: "id" }, run.assistant_id),
      make("span", { class: "actions" }, isActive(run) ? button("Cancel run", cancel, { class: "danger" }) : undefined),
    ),
  );
}

function status(text) {
  return make("span", { class: FINE.includes(text) ? "state" : "badge" }, text);
}

function failure({ last_error: error }) {
  return error ? make("p", { class: "problem-line" }, `${error.code}: ${error.message}`) : undefined;
}

/** Return the steps, oldest first. A call whose output the run waits for has a field for it. */
function stepList({ data, has_more: hasMore }, run) {
  const waiting = (run.required_action?.submit_tool_outputs.tool_calls ?? []).map((call) => call.id);
  return [
    hasMore ? make("p", { class: "hint" }, "Earlier steps are not shown.") : "",
    data.length === 0 ? make("p", { class: "hint" }, "No steps yet.") : "",
    ...data.toReversed().map((step) => stepSection(step, waiting)),
    waiting.length > 0 ? make("button", { class: "primary" }, "Submit outputs") : "",
  ];
}

function stepSection(step, waiting) {
  const { message_creation: message, tool_calls: calls = [] } = step.step_details;
  const title = message ? ["Message ", make("code", {}, message.message_id)] : ["Function calls"];
  return make(
    "section",
    { class: "step" },
    make("header", {}, make("h5", {}, ...title), status(step.status)),
    failure(step),
    ...calls.map((call) => callBlock(call, waiting.includes(call.id))),
  );
}

function callBlock({ id, function: called }, isWaiting) {
  const field = () =>
    make("label", {}, `Output of ${called.name}`, make("textarea", { name: id, rows: "2", spellcheck: "false" }));
  return make(
    "div",
    { class: "call" },
    make("p", {}, make("code", {}, called.name), " ", make("span", { class: "id about" }, id)),
    make("p", { class: "about" }, "Arguments"),
    make("pre", { class: "arguments" }, called.arguments),
    isWaiting ? field() : make("p", { class: "about" }, "Output"),
    isWaiting ? undefined : make("pre", { class: "output" }, called.output ?? "none"),
  );
}
