"use strict";
// Asks for the changing parts every second; a part in which somebody is typing is left alone.
(() => {
  const language = document.body.dataset.lang;
  const message = document.getElementById("message");
  const shown = {};
  let failedAction = false;

  const say = (text) => { message.textContent = text; };

  const refresh = async () => {
    const answer = await fetch(`/page/parts?lang=${language}`);
    if (!answer.ok) throw new Error(String(answer.status));
    const parts = await answer.json();
    for (const [name, html] of Object.entries(parts)) {
      const part = document.getElementById(name);
      if (shown[name] === html || part.contains(document.activeElement)) continue;
      part.innerHTML = html;
      shown[name] = html;
    }
    if (!failedAction) say("");
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    event.preventDefault();
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
      failedAction = !answer.ok;
      if (failedAction) say(document.body.dataset.failed + (await answer.json()).message);
      if (document.activeElement) document.activeElement.blur();
      await refresh();
    } catch (error) {
      say(document.body.dataset.failed + error.message);
    }
  });

  const tick = () => refresh().catch((error) => say(document.body.dataset.failed + error.message))
    .finally(() => setTimeout(tick, 1000));
  setTimeout(tick, 1000);
})();
