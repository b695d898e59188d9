// Polls for new messages and runs: soon after something changed, less often while nothing changes, and never while the
// page is hidden.

import { byId } from "./dom.js";

// Milliseconds between two polls.
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;
const GROWTH = 1.5;

/**
 * Call `look` again and again until the signal is aborted. `look` returns whether to poll again soon. An error that
 * may pass by itself is shown beside the button. Any other error ends the polling; `report` gets the error and a
 * function that starts the polling again.
 */
export function follower(look, report, signal) {
  let isWanted = true;
  let isPaused = true;
  let wait = FIRST_WAIT;
  let timer;
  let looking;
  let trouble = "";

  function schedule() {
    clearTimeout(timer);
    if (signal.aborted) return;
    if (isWanted && !isPaused && !document.hidden) timer = setTimeout(now, wait);
    byId("follow").setAttribute("aria-pressed", String(isWanted));
    byId("follow-text").textContent = isWanted
      ? `${trouble || "New messages appear here."} The next look is in ${Math.round(wait / 1000)} s.`
      : "New messages are not looked for.";
  }

  /** Poll at once. Wait for a running poll first: it may have been too early to see a message that was just sent. */
  async function now() {
    await looking;
    looking ??= once().finally(() => {
      looking = undefined;
      schedule();
    });
    await looking;
  }

  async function once() {
    try {
      const isSoon = await look();
      wait = isSoon ? FIRST_WAIT : longer(wait);
      trouble = "";
    } catch (error) {
      wait = longer(wait);
      trouble = error.message;
      const canPass = error.status === 0 || error.status === 429 || error.status >= 500;
      if (canPass) return;
      isWanted = false;
      report(error, follow);
    }
  }

  function follow() {
    isWanted = true;
    wait = FIRST_WAIT;
    trouble = "";
    now();
  }

  function stop() {
    isWanted = false;
    schedule();
  }

  function onVisibility() {
    if (document.hidden) schedule();
    else if (isWanted && !isPaused) follow();
  }

  byId("follow").onclick = () => (isWanted ? stop() : follow());
  document.addEventListener("visibilitychange", onVisibility, { signal });
  signal.addEventListener("abort", schedule);
  return {
    now,
    /** Poll at once, and from now on, also if the reader has switched the polling off. */
    follow,
    /** Stop polling while the page does not show the end of the thread. */
    pause(is) {
      isPaused = is;
      wait = FIRST_WAIT;
      schedule();
    },
  };
}

const longer = (wait) => Math.min(wait * GROWTH, LONGEST_WAIT);
