"use strict";
// Reads the page again every second and after each button, and puts what changed into its place.
// A part in which somebody is typing is left alone.
(() => {
  const message = document.getElementById("message");
  const shown = {};

  const say = (text, kind = "") => {
    message.textContent = text;
    message.className = kind;
  };

  const update = async (answer, places) => {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll(places)) {
      const html = page.getElementById(part.id)?.innerHTML;
      if (html === undefined || shown[part.id] === html || part.contains(document.activeElement)) continue;
      const open = [...part.querySelectorAll("details[open]")].map((details) => details.id);
      part.innerHTML = html;
      for (const id of open) document.getElementById(id)?.setAttribute("open", "");
      shown[part.id] = html;
    }
    return page.getElementById("message");
  };

  document.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form));
    document.activeElement?.blur();
    try {
      const result = await update(await fetch(form.action, { method: "POST", body }), "[data-part]");
      say(result.textContent, result.className);
    } catch {
      say(message.dataset.gone, "bad");
    }
  });

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    document.getElementById(button.dataset.copy).select();
    document.execCommand("copy"); // the newer way is closed to pages without TLS
    button.focus();
    say(message.dataset.copied, "good");
  });

  const tick = async () => {
    try {
      if (!document.hidden) {
        await update(await fetch(location.pathname + `?lang=${document.documentElement.lang}`), "[data-part=live]");
        if (message.textContent === message.dataset.gone) say("");
      }
    } catch {
      say(message.dataset.gone, "bad");
    }
    setTimeout(tick, 1000);
  };
  setTimeout(tick, 1000);
})();
