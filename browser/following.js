// Looks for new messages again and again: soon after some came, rarer while none do, never while nobody sees the page.

import { byId } from "./dom.js";

// Milliseconds between two looks.
const FIRST_WAIT = 2_000;
const LONGEST_WAIT = 30_000;
const GROWTH = 1.5;

/**
 * Call `look`, which tells whether it found something, until the signal is aborted. A failure that can pass by itself
 * is told beside the button; any other ends the looking and is handed to `report`, with what begins again.
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

  /** Look at once, after a look that is on its way: that one may be too early to see what was just sent. */
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
      const hasFound = await look();
      wait = hasFound ? FIRST_WAIT : longer(wait);
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
    /** Wait while the page does not show the end of the thread. */
    pause(is) {
      isPaused = is;
      wait = FIRST_WAIT;
      schedule();
    },
  };
}

const longer = (wait) => Math.min(wait * GROWTH, LONGEST_WAIT);
