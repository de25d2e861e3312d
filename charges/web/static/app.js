// Keys. Everything they do can also be done by a link or a button on the page, and without this file.
// A row that can be walked to: <tr data-row>; its first link is opened by Enter.
// A key of a page: any link or button with data-key="w" and a text or aria-label that says what it does.
"use strict";

const KEPT = "keys-off";
const areOn = () => localStorage.getItem(KEPT) === null;
const rows = () => [...document.querySelectorAll("tr[data-row]")];
const dialog = () => document.getElementById("keys");

function walk(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.classList.contains("here"));
  const to = Math.min(Math.max(at + step, 0), all.length - 1);
  if (at >= 0) all[at].classList.remove("here");
  all[to].classList.add("here");
  all[to].scrollIntoView({ block: "nearest" });
  all[to].querySelector("a, button, input")?.focus({ preventScroll: true });
}

function showKeys() {
  const list = document.getElementById("keys-list");
  const known = [["j, k", "Next, previous row"], ["Enter", "Open the row"], ["/", "Search"], ["?", "This list"]];
  for (const each of document.querySelectorAll("[data-key]")) {
    known.push([each.dataset.key, each.getAttribute("aria-label") || each.labels?.[0]?.textContent.trim() || each.textContent.trim()]);
  }
  list.replaceChildren();
  for (const [key, says] of known) {
    list.append(Object.assign(document.createElement("dt"), { textContent: key }));
    list.append(Object.assign(document.createElement("dd"), { textContent: says }));
  }
  document.getElementById("keys-on").checked = areOn();
  dialog().showModal();
}

function isWriting(target) {
  return target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || dialog()?.open) return;
  if (isWriting(event.target)) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (event.key === "?") { event.preventDefault(); showKeys(); return; }
  if (!areOn()) return;
  if ((event.key === "j" || event.key === "k") && rows().length) { event.preventDefault(); walk(event.key === "j" ? 1 : -1); return; }
  if (event.key === "Enter" && event.target === document.body) {
    document.querySelector("tr[data-row].here a")?.click();
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) { event.preventDefault(); search.focus(); }
    return;
  }
  const wanted = [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key === event.key);
  if (wanted) {
    event.preventDefault();
    if (wanted.matches("input:not([type=submit]), textarea, select")) wanted.focus(); else wanted.click();
  }
});

document.addEventListener("change", (event) => {
  if (event.target.id === "keys-on") {
    if (event.target.checked) localStorage.removeItem(KEPT); else localStorage.setItem(KEPT, "1");
  }
});

// The segment at fault is in sight within its claim.
document.addEventListener("DOMContentLoaded", () => {
  const fault = document.querySelector(".claim .at-fault");
  if (fault) fault.parentElement.scrollTop = fault.offsetTop - fault.parentElement.offsetTop - 60;
});
