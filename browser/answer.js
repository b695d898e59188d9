// An answer while the model writes it. The stored message takes its place.

import { byId, make } from "./dom.js";

/** Show an empty answer, unless its message is stored and shown already. */
export function beginAnswer(id) {
  if (byId(`message-${id}`)) return;
  const header = make("header", {}, make("h3", {}, "Assistant"), make("span", { class: "about" }, "is writing"));
  const properties = { class: "message assistant", id: `answer-${id}`, "aria-label": "Answer", "aria-busy": "true" };
  byId("answer").replaceChildren(make("article", properties, header));
}

/** Add a delta to its answer, unless the stored message has replaced it. */
export function growAnswer({ id, delta }) {
  const article = byId(`answer-${id}`);
  for (const part of article ? delta.content : []) {
    if (!article.children[part.index + 1]) article.append(make("div", { class: "text", dir: "auto" }));
    article.children[part.index + 1].append(part.text?.value ?? part.refusal ?? "");
  }
}

export function endAnswer(id) {
  byId(`answer-${id}`)?.remove();
}
