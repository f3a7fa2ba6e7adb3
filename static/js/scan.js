// Scanning a delivery: each number goes into a queue in this browser and leaves it once the server has answered.
// Each has a key of its own, so that a number that is sent again counts once. Without this file the page is a form.
(() => {
  "use strict";

  const BATCH = 25;
  const RETRY_AFTER = 4000;
  const REFUSED_SHOWN = 50;
  const person = document.documentElement.dataset.person || "";

  // The queue ---------------------------------------------------------------------------------------------
  // Its name is none of those that signing out removes: what was scanned and not sent must not be lost.
  const queueOf = (session) => {
    const name = `mep-scan:${person}:${session}`;
    let memory = [];
    const read = () => {
      try { return JSON.parse(window.localStorage.getItem(name)) || []; } catch { return memory; }
    };
    const write = (entries) => {
      memory = entries;
      try {
        if (entries.length) window.localStorage.setItem(name, JSON.stringify(entries));
        else window.localStorage.removeItem(name);
      } catch { /* full or forbidden: it is kept as long as the page is open */ }
    };
    return {
      read,
      add: (entry) => write([...read(), entry]),
      drop: (keys) => write(read().filter((entry) => !keys.includes(entry.key))),
      mark: (keys) => write(read().map((entry) => (keys.includes(entry.key) ? { ...entry, tried: true } : entry))),
    };
  };
  const newKey = () => {
    if (window.crypto.randomUUID) return window.crypto.randomUUID();
    const bytes = [...window.crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
    return bytes.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  };

  // Pages about a delivery that do not scan: what never arrived is named --------------------------------------
  document.querySelectorAll("[data-scan-leftover]").forEach((note) => {
    const queue = queueOf(note.dataset.scanLeftover);
    const entries = queue.read();
    if (!entries.length) return;
    note.querySelector("[data-scan-leftover-numbers]").textContent = entries.map((entry) => entry.serial).join(", ");
    note.hidden = false;
    note.querySelector("[data-scan-forget]")?.addEventListener("click", () => {
      queue.drop(entries.map((entry) => entry.key));
      note.hidden = true;
    });
    document.querySelectorAll("[data-scan-take-in] button").forEach((button) => { button.disabled = true; });
  });

  const box = document.querySelector("[data-scan]");
  if (!box) return;
  const find = (name) => box.querySelector(`[data-scan-${name}]`);
  const words = box.dataset;
  const form = find("form");
  const field = form.elements.namedItem("serial");
  const token = form.elements.namedItem("csrfmiddlewaretoken").value;
  const rows = find("rows");
  const undo = find("undo");
  const queue = queueOf(words.scan);
  let sending = null, stopped = false, timer;

  // What people see and hear ----------------------------------------------------------------------------------
  const say = (tone, text) => {
    const answer = find("answer");
    const alert = box.querySelector(`[data-scan-tone="${tone}"]`).content.firstElementChild.cloneNode(true);
    alert.querySelector("[data-scan-text]").textContent = text;
    answer.replaceChildren(alert);
  };
  const sound = (good) => window.portal.sounds?.play(good);

  const refuse = (message) => {
    const list = find("refused").querySelector("ul");
    const line = document.createElement("li");
    line.className = "kern-body";
    line.textContent = message;
    list.prepend(line);
    while (list.children.length > REFUSED_SHOWN) list.lastElementChild.remove();
    find("refused").hidden = false;
  };

  const showWaiting = () => {
    const number = queue.read().length;
    const place = find("waiting");
    place.hidden = number === 0;
    place.textContent = number === 1 ? words.oneWaits : words.manyWait.replace("%s", String(number));
  };

  const showRows = () => {
    const first = rows.querySelector("[data-scan-row]");
    find("list").hidden = !first;
    find("empty").hidden = Boolean(first);
    undo.value = first ? first.dataset.scanRow : "";
    undo.disabled = !first && !queue.read().length;
  };

  const addRow = (answer) => {
    if (rows.querySelector(`[data-scan-row="${answer.scan}"]`)) return;
    const row = find("template").content.firstElementChild.cloneNode(true);
    row.dataset.scanRow = String(answer.scan);
    row.querySelector("[data-scan-serial]").textContent = answer.serial;
    row.querySelector("[data-scan-at]").textContent = answer.at;
    const button = row.querySelector("button");
    button.value = String(answer.scan);
    button.setAttribute("aria-label", words.removeLabel.replace("%s", answer.serial));
    rows.prepend(row);
  };

  const showFigures = (figures) => {
    find("number").textContent = figures.number;
    find("of").textContent = figures.of;
    find("hint").textContent = figures.hint;
  };

  // Sending ---------------------------------------------------------------------------------------------------
  // What the server answers as JSON, or null where nothing came back that it had worked on.
  const post = async (address, pairs) => {
    const body = new URLSearchParams([["csrfmiddlewaretoken", token], ...pairs]);
    let response;
    try {
      response = await fetch(address, {
        method: "POST", body, headers: { Accept: "application/json" }, credentials: "same-origin", redirect: "manual",
      });
    } catch {
      say("warning", words.offline);
      return null;
    }
    if ((response.headers.get("Content-Type") || "").includes("application/json")) return response.json();
    const signedOut = response.type === "opaqueredirect" || response.status === 403;
    say("warning", signedOut ? words.signedOut : words.offline);
    return null;
  };

  const take = (answers) => {
    let good = true;
    answers.forEach((answer) => {
      if (answer.kept) {
        addRow(answer);
      } else {
        good = false;
        refuse(answer.message);
      }
    });
    const last = answers.filter((answer) => answer.kept === good).pop();
    say(good ? "success" : "danger", last.message);
    sound(good);
  };

  const sendBatch = async () => {
    const entries = queue.read().slice(0, BATCH);
    queue.mark(entries.map((entry) => entry.key));
    const answer = await post(words.url, entries.flatMap((entry) => [["key", entry.key], ["serial", entry.serial]]));
    if (answer === null) return false;
    if (answer.message) {
      stopped = true;
      say("danger", answer.message);
      sound(false);
      return false;
    }
    queue.drop(entries.map((entry) => entry.key));
    take(answer.answers);
    showFigures(answer);
    return true;
  };

  const sendAll = async () => {
    while (queue.read().length && !stopped) {
      const went = await sendBatch();
      showWaiting();
      showRows();
      if (!went) return;
    }
  };
  const send = () => {
    window.clearTimeout(timer);
    sending ||= sendAll().finally(() => {
      sending = null;
      if (queue.read().length && !stopped) timer = window.setTimeout(send, RETRY_AFTER);
    });
    return sending;
  };

  const scan = (text) => {
    const serial = text.trim();
    if (!serial) return;
    queue.add({ key: newKey(), serial });
    showWaiting();
    showRows();
    send();
  };

  // The field keeps the focus: a hand scanner types wherever it is ---------------------------------------------
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value;
    field.value = "";
    field.focus();
    scan(text);
  });
  field.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/[\r\n]+/).filter((line) => line.trim());
    if (lines.length < 2) return;
    event.preventDefault();
    lines.forEach(scan);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("textarea, select, input:not([type=checkbox])");
    if (typing || event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return;
    field.focus();
  });

  // Removing --------------------------------------------------------------------------------------------------
  const takeBackWaiting = () => {
    const last = queue.read().pop();
    if (last.tried) {
      say("warning", words.undoLater);
      return;
    }
    queue.drop([last.key]);
    say("success", words.takenBack.replace("%s", last.serial));
  };

  const remove = async (address, scanned) => {
    const answer = await post(address, [["scan", scanned]]);
    if (answer === null) return;
    if (answer.ended) {
      say("danger", answer.message);
      return;
    }
    rows.querySelector(`[data-scan-row="${answer.removed}"]`)?.remove();
    showFigures(answer);
    say("success", answer.message);
  };

  box.querySelectorAll("[data-scan-remove]").forEach((removing) => {
    removing.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = event.submitter;
      const isUndo = button === undo;
      undo.disabled = true;
      field.focus();
      if (sending) await sending;
      if (isUndo && queue.read().length) takeBackWaiting();
      else await remove(removing.action, isUndo ? rows.querySelector("[data-scan-row]")?.dataset.scanRow || "" : button.value);
      showWaiting();
      showRows();
      field.focus();
    });
  });

  // Taking in waits for what is on its way ------------------------------------------------------------------------
  const finish = document.querySelector("[data-scan-finish]");
  finish.addEventListener("click", async (event) => {
    if (!queue.read().length) return;
    event.preventDefault();
    await send();
    if (queue.read().length) say("warning", words.finishFirst);
    else window.location.assign(finish.href);
  });

  // Sounds ----------------------------------------------------------------------------------------------------
  const sounds = window.portal.sounds;
  if (sounds?.possible) {
    const check = find("sound").querySelector("input");
    find("sound").hidden = false;
    check.checked = sounds.isOn();
    check.addEventListener("change", () => {
      sounds.turn(check.checked);
      sounds.play(true);
      field.focus();
    });
  }

  window.addEventListener("online", send);
  showWaiting();
  showRows();
  if (queue.read().length) send();
  field.focus();
})();
