// One open thread. Shows a window of its messages, oldest first. The window grows both ways and follows new messages.
// Below are the thread's runs.

import { endAnswer } from "./answer.js";
import { announce, byId, make, pairs, time } from "./dom.js";
import { confirmDeletion, editMessage, editThread, metadataFields } from "./dialogs.js";
import { follower } from "./following.js";
import { messageArticle, summary } from "./message.js";
import { threadRuns } from "./runs.js";

const PAGE = "20";
const CATCH_UP = "100";

/**
 * Open a thread. `attempt` runs a call and shows its error. So does `attemptStream`, in a queue of its own. `report`
 * shows an error. `onChange` gets the changed thread, `onDelete` gets the id of the deleted one. Returns `load` and
 * `close`. After `close` the conversation shows nothing more and sends no more requests.
 */
export function openConversation(connection, id, { attempt, attemptStream, report, onChange, onDelete }) {
  const closing = new AbortController();
  const api = connection(closing.signal);
  const following = follower(look, report, closing.signal);
  const { signal } = closing;
  const runs = threadRuns(api, id, { attempt, attemptStream, follow, now: following.now, signal });
  const shown = byId("messages");
  // The window's two ends are cursors. A cursor stays valid when its message is deleted.
  let [oldest, newest] = ["", ""];
  let hasNewer = false;

  async function load() {
    showThread(await api.retrieveThread(id));
    showParts(true);
    await Promise.all([loadLatest(), runs.load()]);
    byId("compose").scrollIntoView({ block: "end" });
  }

  async function loadLatest() {
    const page = await api.listMessages(id, { order: "desc", limit: PAGE });
    page.data.reverse();
    start(page, { older: page.has_more, newer: false });
    byId("compose").scrollIntoView({ block: "end" });
  }

  async function loadFirst() {
    const page = await api.listMessages(id, { order: "asc", limit: PAGE });
    start(page, { older: false, newer: page.has_more });
    byId("thread-title").scrollIntoView({ block: "start" });
  }

  function start(page, { older, newer }) {
    shown.replaceChildren(...page.data.map(article));
    for (const message of page.data) endAnswer(message.id);
    [oldest, newest] = [page.data[0]?.id ?? "", page.data.at(-1)?.id ?? ""];
    byId("older").hidden = !older;
    setNewer(newer);
    showCount();
    announce(`${page.data.length} messages shown.`);
  }

  async function loadOlder() {
    const page = await api.listMessages(id, { order: "asc", limit: PAGE, before: oldest });
    shown.prepend(...page.data.map(article));
    oldest = page.first_id ?? oldest;
    byId("older").hidden = !page.has_more;
    articleOf(page.last_id)?.focus(); // it is next to the message that was being read
    announce(`${page.data.length} older messages.`);
  }

  async function loadNewer() {
    const page = await api.listMessages(id, { order: "asc", limit: PAGE, after: newest });
    append(page);
    articleOf(page.first_id)?.focus();
  }

  function append(page) {
    shown.append(...page.data.map(article));
    for (const message of page.data) endAnswer(message.id);
    newest = page.last_id ?? newest;
    oldest ||= page.first_id ?? "";
    setNewer(page.has_more);
    showCount();
  }

  function setNewer(is) {
    hasNewer = is;
    byId("newer").hidden = !is;
    byId("follow-line").hidden = is;
    following.pause(is);
  }

  function showCount() {
    byId("no-messages").hidden = shown.childElementCount > 0;
  }

  /** Show the end of the thread and follow it. */
  async function follow() {
    if (hasNewer) await loadLatest();
    following.follow();
  }

  async function look() {
    const isActive = await runs.look(); // before the messages: a run that is shown as completed has its answer there
    if (hasNewer) return isActive;
    const after = newest;
    const page = await api.listMessages(id, { order: "asc", limit: CATCH_UP, after }, { retries: 0 });
    if (page.data.length === 0 || newest !== after) return isActive; // nothing new, or the window has moved
    const wasAtEnd = byId("follow-line").getBoundingClientRect().top < window.innerHeight + 80;
    append(page);
    const count = page.data.length === 1 ? "New message." : `${page.data.length} new messages.`;
    announce(`${count} ${summary(page.data[0])}`);
    if (wasAtEnd) byId("follow-line").scrollIntoView({ block: "end" });
    return true;
  }

  // -- The thread

  /** Show the thread's actions and messages only when a thread is loaded. */
  function showParts(isThere) {
    for (const name of ["thread-actions", "thread-body"]) byId(name).hidden = !isThere;
  }

  function showThread(thread) {
    byId("thread-title").textContent = thread.id;
    byId("thread-about").replaceChildren(
      make("p", { class: "about" }, "Created ", time(thread.created_at)),
      ...[pairs(thread.metadata), resources(thread.tool_resources)].filter(Boolean),
    );
  }

  // Read the thread again before an edit, because others may have changed it since it was shown.
  byId("edit-thread").onclick = () =>
    attempt(async () =>
      editThread(await api.retrieveThread(id), async (changes) => {
        const changed = await api.modifyThread(id, changes);
        showThread(changed);
        onChange(changed);
      }),
    );

  function resources(found) {
    if (Object.keys(found ?? {}).length === 0) return undefined;
    return make("details", {}, make("summary", {}, "Tool resources"), make("pre", {}, JSON.stringify(found, null, 2)));
  }

  byId("delete-thread").onclick = () =>
    confirmDeletion("thread", `${id} is gone at once, with all its messages. There is no way back.`, async () => {
      await api.deleteThread(id);
      onDelete(id);
    });

  // -- Its messages

  const articleOf = (messageId) => byId(`message-${messageId}`);

  function article(message) {
    return messageArticle(message, {
      edit: () =>
        attempt(async () =>
          editMessage(await api.retrieveMessage(id, message.id), async (changes) => {
            const fresh = article(await api.modifyMessage(id, message.id, changes));
            articleOf(message.id)?.replaceWith(fresh);
            // Wait until the dialog has returned the focus to the old button, which no longer exists.
            setTimeout(() => fresh.focus());
          }),
        ),
      remove: () =>
        confirmDeletion("message", "It is gone at once. There is no way back.", async () => {
          await api.deleteMessage(id, message.id);
          const gone = articleOf(message.id);
          const next = gone?.nextElementSibling ?? gone?.previousElementSibling ?? byId("thread-title");
          gone?.remove();
          showCount();
          setTimeout(() => next.focus());
        }),
    });
  }

  let metadata;
  function emptyComposer() {
    metadata = metadataFields({});
    byId("compose-metadata").replaceChildren(metadata.fields);
    byId("compose-text").value = "";
    byId("compose-images").value = "";
  }

  async function send() {
    const urls = byId("compose-images").value.split("\n").map((line) => line.trim()).filter(Boolean);
    const text = byId("compose-text").value;
    const parts = [
      ...(text ? [{ type: "text", text }] : []),
      ...urls.map((url) => ({ type: "image_url", image_url: { url } })),
    ];
    const pairsGiven = metadata.read();
    await api.createMessage(id, {
      role: byId("compose-role").value,
      content: urls.length > 0 ? parts : text,
      ...(Object.keys(pairsGiven).length > 0 && { metadata: pairsGiven }),
    });
    emptyComposer();
    // Fetch the message instead of appending it: others may have written in between, and the thread has the order.
    await (hasNewer ? loadLatest() : following.now());
    byId("follow-line").scrollIntoView({ block: "end" });
  }

  byId("compose").onsubmit = (event) => {
    event.preventDefault();
    attempt(send);
  };
  byId("compose-text").onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) byId("compose").requestSubmit();
  };
  byId("older").onclick = () => attempt(loadOlder);
  byId("newer").onclick = () => attempt(loadNewer);
  byId("first-messages").onclick = () => attempt(loadFirst);
  byId("last-messages").onclick = () => attempt(loadLatest);

  shown.replaceChildren();
  byId("thread-about").replaceChildren();
  for (const name of ["older", "newer", "no-messages"]) byId(name).hidden = true;
  byId("thread-title").textContent = id;
  showParts(false);
  emptyComposer();
  return {
    load,
    close: () => closing.abort(),
  };
}
