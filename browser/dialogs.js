// The dialogs that come before a change. A dialog shows the API's error and stays open until the change succeeds.

import { button, byId, make } from "./dom.js";

let submit; // the action of the open dialog's button

byId("dialog-cancel").addEventListener("click", () => byId("dialog").close());
byId("dialog-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const send = byId("dialog-submit");
  if (send.getAttribute("aria-disabled") === "true") return;
  send.setAttribute("aria-disabled", "true");
  byId("dialog-problem").textContent = "";
  const mine = submit;
  try {
    await mine();
    if (submit === mine) byId("dialog").close();
  } catch (error) {
    if (submit === mine) byId("dialog-problem").textContent = error.message;
  } finally {
    if (submit === mine) send.removeAttribute("aria-disabled");
  }
});

/** Show a dialog. Its button runs `work`. The dialog shows the error that `work` throws. */
function ask(title, fields, action, work, style = "primary") {
  submit = work;
  byId("dialog-title").textContent = title;
  byId("dialog-fields").replaceChildren(...fields);
  byId("dialog-problem").textContent = "";
  byId("dialog-submit").textContent = action;
  byId("dialog-submit").className = style;
  byId("dialog-submit").removeAttribute("aria-disabled");
  byId("dialog").showModal();
  if (style === "danger") byId("dialog-cancel").focus();
}

export function confirmDeletion(what, consequence, work) {
  ask(`Delete this ${what}?`, [make("p", {}, consequence)], `Delete ${what}`, work, "danger");
}

export function editThread(thread, save) {
  const metadata = metadataFields(thread.metadata);
  ask("Metadata of the thread", [metadata.fields], "Save", () => save({ metadata: metadata.read() }));
}

export function newThread(create) {
  const metadata = metadataFields({});
  const first = make("textarea", { id: "first-text", rows: "3" });
  const label = make("label", { for: "first-text" }, "First message of the user, if any");
  ask("New thread", [label, first, metadata.fields], "Create thread", () =>
    create({
      metadata: metadata.read(),
      ...(first.value && { messages: [{ role: "user", content: first.value }] }),
    }),
  );
}

/** Edit the texts and the metadata of a message. The content is sent only if a text was changed. */
export function editMessage(message, save) {
  const metadata = metadataFields(message.metadata);
  const texts = message.content.map((part, index) => part.type === "text" && textField(part.text.value, index));
  const fields = texts.flatMap((field) => (field ? [field.label, field.area] : []));
  const cites = message.content.some((part) => part.text?.annotations?.length);
  if (cites) fields.push(make("p", { class: "hint" }, "A text that is changed loses its citations."));
  ask("Edit message", [...fields, metadata.fields], "Save", () => {
    const content = message.content.map((part, index) => inputPart(part, texts[index] && texts[index].area.value));
    const isNew = (field, index) => field && field.area.value !== normal(message.content[index].text.value);
    const isChanged = texts.some(isNew);
    return save({ metadata: metadata.read(), ...(isChanged && { content }) });
  });
}

function textField(value, index) {
  const id = `edit-text-${index}`;
  const area = make("textarea", { id, rows: String(Math.min(12, value.split("\n").length + 2)) });
  area.value = value;
  return { label: make("label", { for: id }, index === 0 ? "Text" : `Text, part ${index + 1}`), area };
}

/** Return a content part in the form that the API accepts. A text that was not changed is sent as the API has it. */
function inputPart(part, value) {
  if (part.type !== "text") return part;
  const isKept = value === normal(part.text.value);
  if (isKept && part.text.annotations?.length) return part; // only a trusted key may write annotations
  return { type: "text", text: isKept ? part.text.value : value };
}

/** Return a text as a textarea returns it: a textarea has only one kind of line end. */
const normal = (value) => value.replace(/\r\n?/g, "\n");

/** Return `fields`, a group of fields for metadata, and `read`, which returns the metadata or throws an error. */
export function metadataFields(metadata) {
  const rows = make("div", {});
  const add = (key = "", value = "") => {
    const number = rows.childElementCount + 1;
    const keyField = make("input", { "aria-label": `Key ${number}`, placeholder: "key", spellcheck: "false" });
    const valueField = make("input", { "aria-label": `Value ${number}`, placeholder: "value" });
    [keyField.value, valueField.value] = [key, value];
    const row = make("div", { class: "pair" }, keyField, valueField);
    row.append(
      button("Remove", () => {
        const next = row.nextElementSibling ?? row.previousElementSibling;
        row.remove();
        (next?.querySelector("input") ?? addPair).focus();
      }, { "aria-label": `Remove pair ${number}` }),
    );
    rows.append(row);
    return keyField;
  };
  const addPair = button("Add a pair", () => add().focus());
  Object.entries(metadata ?? {}).forEach(([key, value]) => add(key, value));
  const read = () => {
    const found = new Map();
    for (const row of rows.children) {
      const [key, value] = Array.from(row.querySelectorAll("input"), (field) => field.value);
      if (!key && !value) continue;
      if (found.has(key)) throw new Error(`Two pairs have the key “${key}”.`);
      found.set(key, value);
    }
    return Object.fromEntries(found);
  };
  return { fields: make("fieldset", {}, make("legend", {}, "Metadata"), rows, addPair), read };
}
