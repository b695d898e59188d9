// Shows one message: its text with citations, its images and refusals, and its other fields.

import { button, make, moment, pairs, time } from "./dom.js";

const ROLES = { user: "User", assistant: "Assistant" };

/** Return a message as an article. Its buttons call `edit` and `remove`. */
export function messageArticle(message, { edit, remove }) {
  const role = ROLES[message.role] ?? message.role;
  const notes = [];
  return make(
    "article",
    {
      class: `message ${message.role === "user" ? "user" : "assistant"}`,
      id: `message-${message.id}`,
      tabindex: "-1",
      "aria-label": `${role}, ${moment(message.created_at)}`,
    },
    make("header", {}, make("h3", {}, role), time(message.created_at), status(message)),
    ...message.content.map((part) => contentPart(part, notes)),
    notes.length > 0 ? make("ol", { class: "notes" }, ...notes.map(note)) : undefined,
    attachments(message.attachments),
    pairs(message.metadata),
    make(
      "footer",
      {},
      make("span", { class: "id" }, message.id),
      message.assistant_id ? make("span", { class: "id" }, message.assistant_id) : undefined,
      message.run_id ? make("span", { class: "id" }, message.run_id) : undefined,
      make("span", { class: "actions" }, button("Edit", edit), button("Delete", remove, { class: "danger" })),
    ),
  );
}

/** Return the beginning of a message's text, for screen readers. */
export function summary(message) {
  const texts = message.content.map((part) => part.text?.value ?? part.refusal ?? "Image");
  return `${ROLES[message.role] ?? message.role}: ${texts.join(" ").slice(0, 200)}`;
}

function status(message) {
  if (message.status !== "incomplete") return undefined;
  const reason = message.incomplete_details?.reason;
  return make("span", { class: "badge" }, reason ? `Incomplete: ${reason}` : "Incomplete");
}

function contentPart(part, notes) {
  if (part.type === "text") return text(part.text, notes);
  if (part.type === "image_url") return image(part.image_url);
  if (part.type === "image_file") return placeholder("Image file", part.image_file.file_id, part.image_file.detail);
  if (part.type === "refusal") {
    const badge = make("span", { class: "badge" }, "Refusal");
    return make("div", { class: "text refusal", dir: "auto" }, badge, part.refusal);
  }
  return make("pre", {}, JSON.stringify(part, null, 2));
}

/** Mark the passages that annotations refer to with the numbers of their notes. */
function text({ value, annotations = [] }, notes) {
  const nodes = [];
  let done = 0;
  const placed = annotations.map((annotation) => ({ annotation, start: place(annotation, value) }));
  for (const { annotation, start } of placed.sort((one, other) => one.start - other.start)) {
    const number = notes.push(annotation);
    if (start < done) continue;
    const isPlaceholder = /^【.*】$/s.test(annotation.text); // a model's citation mark means nothing to people
    nodes.push(
      value.slice(done, start),
      isPlaceholder ? "" : make("mark", {}, annotation.text),
      make("sup", {}, `[${number}]`),
    );
    done = start + annotation.text.length;
  }
  return make("div", { class: "text", dir: "auto" }, ...nodes, value.slice(done));
}

/** Find an annotation's passage: at its start_index (in code points), else where its text occurs first, else -1. */
function place({ text: passage, start_index: start }, value) {
  if (!passage) return -1;
  const said = Array.from(value).slice(0, start).join("").length;
  return value.startsWith(passage, said) ? said : value.indexOf(passage);
}

function note(annotation) {
  const page = annotation.url_citation; // of imported messages only, and of any shape
  if (page) return make("li", {}, "Web page ", make("code", {}, String(page.url ?? page.title ?? "")));
  const file = annotation.file_citation ?? annotation.file_path ?? {};
  const kind = annotation.type === "file_path" ? "Made file" : "File";
  const quote = annotation.file_citation?.quote;
  return make("li", {}, `${kind} `, make("code", {}, file.file_id ?? ""), quote ? make("q", {}, quote) : undefined);
}

/** Return an image's URL with a button that loads it. Loading tells the image's server who reads it, and when. */
function image({ url, detail }) {
  const address = URL.canParse(url) ? new URL(url) : undefined;
  if (!["http:", "https:"].includes(address?.protocol)) return placeholder("Image, not on the web", url, detail);
  const figure = placeholder("Image", url, detail);
  figure.append(
    button(`Load from ${address.host}`, () => {
      const picture = make("img", {
        alt: `Image from ${address.host}`,
        referrerpolicy: "no-referrer",
        src: address.href,
        error: () => picture.replaceWith(make("p", { role: "status" }, "The image cannot be loaded.")),
      });
      figure.replaceChildren(picture, make("figcaption", {}, url));
      figure.focus();
    }),
  );
  return figure;
}

function placeholder(kind, what, detail) {
  const told = detail && detail !== "auto" ? `${kind}, detail ${detail}` : kind;
  return make("figure", { tabindex: "-1" }, make("figcaption", {}, make("b", {}, told), " ", make("code", {}, what)));
}

function attachments(list) {
  if (!list?.length) return undefined;
  const items = list.map(({ file_id: file, tools }) => {
    const uses = (tools ?? []).map((tool) => tool.type).join(", ");
    return make("li", {}, make("code", {}, file ?? "no file"), uses ? ` for ${uses}` : "");
  });
  return make("ul", { class: "attachments", "aria-label": "Attachments" }, ...items);
}
