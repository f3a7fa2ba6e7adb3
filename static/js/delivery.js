// Scanning a delivery: each number leaves the queue of this browser once the portal has answered for it. Of kits, each
// is sent with the device that it was scanned for, so that one that is refused shifts none. Without this file it is a
// form.
(() => {
  "use strict";

  const BATCH = 25;
  const { queueOf, post, showQueue, showCamera, showSounds, sound, keepFocus } = window.portal.scanning;

  // Pages about a delivery that do not scan: what never arrived is named --------------------------------------
  document.querySelectorAll("[data-scan-leftover]").forEach((note) => {
    const queue = queueOf("delivery", note.dataset.scanLeftover);
    const entries = queue.waiting();
    if (!entries.length) return;
    note.querySelector("[data-scan-leftover-numbers]").textContent = entries.map((entry) => entry.serial).join(", ");
    note.hidden = false;
    note.querySelector("[data-scan-forget]")?.addEventListener("click", () => {
      queue.drop(entries.map((entry) => entry.id));
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
  const rows = find("rows");
  const undo = find("undo");
  const without = find("without");
  let kit = JSON.parse(document.getElementById("scan-kit")?.textContent || "null");

  // What people see and hear ----------------------------------------------------------------------------------
  const say = (tone, text) => {
    const alert = box.querySelector(`[data-scan-tone="${tone}"]`).content.firstElementChild.cloneNode(true);
    alert.querySelector("[data-scan-text]").textContent = text;
    find("answer").replaceChildren(alert);
  };

  const showRows = () => {
    const first = rows.querySelector("[data-scan-row]");
    find("list").hidden = !first;
    find("empty").hidden = Boolean(first);
    undo.value = first ? first.dataset.scanRow : "";
    undo.disabled = !first && !queue.waiting().length;
  };

  const addRow = (answer) => {
    if (rows.querySelector(`[data-scan-row="${answer.scan}"]`)) return;
    const row = find("template").content.firstElementChild.cloneNode(true);
    row.dataset.scanRow = String(answer.scan);
    row.querySelector("[data-scan-serial]").textContent = answer.serial || words.without;
    row.querySelector("[data-scan-at]").textContent = answer.at;
    if (kit) row.querySelector("[data-scan-part-of]").textContent = answer.part;
    const button = row.querySelector("button");
    button.value = String(answer.scan);
    button.setAttribute("aria-label", words.removeLabel.replace("%s", answer.serial || answer.part));
    rows.prepend(row);
  };

  // Of kits: the place that comes next, what waits here counted in ---------------------------------------------
  const nextPlace = () => {
    const waiting = new Set(queue.waiting().map((entry) => entry.place));
    const gap = kit.gaps.find((place) => !waiting.has(place));
    if (gap !== undefined) return gap;
    let place = kit.end;
    while (waiting.has(place)) place += 1;
    return place;
  };
  const showNext = () => {
    if (!kit) return;
    const place = nextPlace();
    const slot = place % kit.slots.length;
    const number = String(Math.floor(place / kit.slots.length) + 1);
    const text = kit.words.replace("%(part)s", kit.slots[slot]).replace("%(kit)s", number);
    if (find("next").textContent !== text) find("next").textContent = text;
    form.elements.namedItem("place").value = String(place);
    without.hidden = slot < kit.firsts;
  };

  const showFigures = (figures) => {
    find("number").textContent = figures.number;
    find("of").textContent = figures.of;
    find("hint").textContent = figures.hint;
    if (kit) kit = figures.kit;
  };

  // As the portal writes numbers: what was refused is solved once the same number is taken
  const numberOf = (entry) => entry.serial.trim().replace(/\s+/g, " ").toUpperCase();

  // Sending ---------------------------------------------------------------------------------------------------
  // `warning`: what is kept, and cannot be taken in as it is
  const take = (answers, warning) => {
    const good = answers.every((answer) => answer.kept);
    const taken = new Set(answers.filter((answer) => answer.kept && answer.serial).map((answer) => answer.serial));
    queue.drop(queue.aside().filter((entry) => taken.has(numberOf(entry))).map((entry) => entry.id));
    answers.filter((answer) => answer.kept).forEach(addRow);
    const { message } = answers.filter((answer) => answer.kept === good).pop();
    if (good && warning) say("warning", `${message} ${warning}`);
    else say(good ? "success" : "danger", message);
    sound(good && !warning);
    return Object.fromEntries(answers.filter((answer) => !answer.kept).map((answer) => [answer.key, answer.message]));
  };

  const send = async (entries) => {
    const outcome = await post(words.url, entries.flatMap((entry) => [
      ["key", entry.id], ["serial", entry.serial], ["place", entry.place ?? ""],
      ...(entry.without ? [["without", entry.id]] : []),
    ]));
    if (outcome.stop) {
      say("danger", outcome.answer?.message || words.stopped);
      sound(false);
    } else if (outcome.later) {
      say("warning", words[outcome.later]);
    }
    if (!outcome.answer || outcome.stop) return outcome;
    const refused = take(outcome.answer.answers, outcome.answer.warning);
    showFigures(outcome.answer);
    return { refused };
  };

  const queue = queueOf("delivery", words.scan, { send, batch: BATCH, changed: () => show() });
  const showState = showQueue(box, queue, {
    nameOf: (entry) => entry.serial || words.without, tellsReason: false,
  });
  const show = () => {
    showState();
    showRows();
    showNext();
  };

  const scan = (text, facts = {}) => {
    const serial = text.trim();
    if (!serial && !facts.without) return;
    queue.add({ serial, ...(kit ? { place: nextPlace() } : {}), ...facts });
    queue.run();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value;
    field.value = "";
    field.focus();
    if (event.submitter && event.submitter === without) scan("", { without: true });
    else scan(text);
  });
  field.addEventListener("paste", (event) => {
    const lines = event.clipboardData.getData("text").split(/[\r\n]+/).filter((line) => line.trim());
    if (lines.length < 2) return;
    event.preventDefault();
    lines.forEach((line) => scan(line));
  });

  // Removing --------------------------------------------------------------------------------------------------
  const takeBackWaiting = () => {
    const last = queue.waiting().pop();
    if (last.tried) {
      say("warning", words.undoLater);
      return;
    }
    queue.drop([last.id]);
    say("success", words.takenBack.replace("%s", last.serial || words.without));
  };

  const remove = async (address, scanned) => {
    const outcome = await post(address, [["scan", scanned]]);
    if (outcome.later || !outcome.answer) {
      say("warning", words[outcome.later || "stopped"]);
      return;
    }
    if (outcome.stop) {
      say("danger", outcome.answer.message);
      return;
    }
    rows.querySelector(`[data-scan-row="${outcome.answer.removed}"]`)?.remove();
    showFigures(outcome.answer);
    say("success", outcome.answer.message);
  };

  box.querySelectorAll("[data-scan-remove]").forEach((removing) => {
    removing.addEventListener("submit", async (event) => {
      event.preventDefault();
      const button = event.submitter;
      const isUndo = button === undo;
      undo.disabled = true;
      field.focus();
      await queue.settled();
      if (isUndo && queue.waiting().length) takeBackWaiting();
      else await remove(removing.action, isUndo ? rows.querySelector("[data-scan-row]")?.dataset.scanRow || "" : button.value);
      show();
      field.focus();
    });
  });

  // Taking in waits for what is on its way ------------------------------------------------------------------------
  const finish = document.querySelector("[data-scan-finish]");
  finish.addEventListener("click", async (event) => {
    if (!queue.waiting().length) return;
    event.preventDefault();
    await queue.run();
    if (queue.waiting().length) say("warning", words.finishFirst);
    else window.location.assign(finish.href);
  });

  showSounds(find("sound"), () => field.focus());
  showCamera(box, (code) => scan(code));
  keepFocus(field);
  show();
  queue.run();
})();
