// The list of threads, newest first, page by page: all threads, or those with one value of the indexed metadata key.

import { announce, byId, make, pairs, time } from "./dom.js";

const PAGE = "20";

/** Return the list of a connection's threads. `attempt` runs a call and shows its error. */
export function threadList(api, attempt) {
  let filter = {};
  let last = "";
  let selected = "";

  /** Start again from the newest thread. */
  async function load() {
    const page = await api.listThreads({ limit: PAGE, ...filter });
    byId("threads").replaceChildren();
    show(page);
    const isFiltered = Object.keys(filter).length > 0;
    byId("no-threads").textContent = isFiltered ? "No thread has this value." : "There are no threads yet.";
    byId("no-threads").hidden = page.data.length > 0;
    byId("found").hidden = !isFiltered;
  }

  async function loadOlder() {
    const page = await api.listThreads({ limit: PAGE, ...filter, after: last });
    show(page);
    byId(`row-${page.first_id}`)?.focus();
  }

  function show(page) {
    byId("threads").append(...page.data.map(item));
    last = page.last_id ?? last;
    byId("older-threads").hidden = !page.has_more;
    announce(`${byId("threads").childElementCount} threads listed.`);
  }

  function item(thread) {
    const link = make(
      "a",
      { href: `#${thread.id}`, id: `row-${thread.id}`, "aria-current": thread.id === selected && "true" },
      pairs(thread.metadata) ?? make("span", { class: "none" }, "No metadata"),
      make("span", { class: "about" }, time(thread.created_at), make("span", { class: "id" }, thread.id)),
    );
    return make("li", {}, link);
  }

  byId("find").onsubmit = (event) => {
    event.preventDefault();
    const [key, value] = [byId("find-key").value.trim(), byId("find-value").value.trim()];
    if (value.startsWith("thread_")) {
      location.hash = value;
      return;
    }
    filter = key && value ? { [`metadata[${key}]`]: value } : {};
    byId("found-text").textContent = `Threads whose ${key} is ${value}`;
    attempt(load);
  };
  byId("show-all").onclick = () => {
    filter = {};
    byId("find-value").value = "";
    byId("threads-title").focus();
    attempt(load);
  };
  byId("reload-threads").onclick = () => attempt(load);
  byId("older-threads").onclick = () => attempt(loadOlder);

  return {
    load,
    /** Mark the thread that is open. */
    select(id) {
      selected = id;
      for (const link of byId("threads").querySelectorAll("a")) {
        if (link.id === `row-${id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    update(thread) {
      byId(`row-${thread.id}`)?.parentElement.replaceWith(item(thread));
    },
    remove(id) {
      byId(`row-${id}`)?.parentElement.remove();
    },
  };
}
