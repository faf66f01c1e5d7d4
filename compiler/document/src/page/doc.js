// Search, the theme, and folded items that are linked to. Without it every page still shows everything.
"use strict";

const root = document.body.dataset.root;
const main = document.getElementById("main");

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// The place of `word` in a row decides how well it fits; nothing where it does not stand at all.
function fit([name, kind, where, , summary], word) {
  const lower = name.toLowerCase();
  const last = lower.split(".").pop();
  if (lower === word || last === word) return 0;
  if (lower.startsWith(word)) return 1;
  if (last.startsWith(word) || lower.includes("_" + word)) return 2;
  if (lower.includes(word)) return 3;
  if ((where + " " + kind).toLowerCase().includes(word)) return 5;
  return summary.toLowerCase().includes(word) ? 6 : null;
}

function find(text) {
  const words = text.toLowerCase().split(/[\s:]+/).filter(Boolean);
  if (!words.length) return [];
  const found = [];
  for (const [at, row] of (window.bmcDocs || []).entries()) {
    const fits = words.map((word) => fit(row, word));
    if (fits.every((fit) => fit !== null)) found.push([fits.reduce((a, b) => a + b), row[0].length, at, row]);
  }
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  return found.slice(0, 40).map((one) => one[3]);
}

function search() {
  const box = document.getElementById("search");
  const input = box.querySelector("input");
  const list = document.getElementById("found");
  let chosen = -1;

  function choose(at) {
    const options = list.querySelectorAll("[role=option]");
    if (!options.length) return;
    chosen = (at + options.length) % options.length;
    options.forEach((option, index) => option.setAttribute("aria-selected", String(index === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
    options[chosen].scrollIntoView({ block: "nearest" });
  }

  function close() {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function show() {
    const rows = find(input.value);
    list.replaceChildren(...rows.map(([name, kind, where, url, summary], at) => {
      const link = element("a", { href: root + url, tabindex: "-1" },
        element("span", { class: "kind" }, kind), element("span", { class: "name" }, name),
        element("span", { class: "soft" }, summary ? `${where} – ${summary}` : where));
      link.addEventListener("click", close);
      return element("li", { role: "option", id: `found-${at}`, "aria-selected": "false" }, link);
    }));
    const asked = input.value.trim() !== "";
    if (asked && !rows.length) list.append(element("li", { class: "none" }, "nothing is called so"));
    list.hidden = !asked;
    input.setAttribute("aria-expanded", String(asked));
    if (rows.length) choose(0);
  }

  input.addEventListener("input", show);
  input.addEventListener("focus", () => { if (input.value) show(); });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter") list.querySelector("[aria-selected=true] a")?.click();
    else if (event.key === "Escape") { close(); input.blur(); }
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => { if (!box.contains(event.target)) close(); });
  document.addEventListener("keydown", (event) => {
    const writes = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement?.tagName || "");
    if (event.key !== "/" || writes || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
  box.hidden = false;
}

// A browser may keep nothing for a page that lies on a disk; then the choice holds for the page alone.
function theme() {
  const button = document.getElementById("theme");
  const names = ["system", "light", "dark"];
  let now = "system";
  try { now = localStorage.getItem("bmc-doc-theme") || now; } catch { /* nothing is kept */ }
  function apply() {
    if (now === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = now;
    button.textContent = `Theme: ${now}`;
    button.setAttribute("aria-label", `Theme: ${now}`);
  }
  button.addEventListener("click", () => {
    now = names[(names.indexOf(now) + 1) % names.length];
    try { localStorage.setItem("bmc-doc-theme", now); } catch { /* nothing is kept */ }
    apply();
  });
  apply();
  button.hidden = false;
}

// Whatever is linked to is unfolded first.
function unfold() {
  let target = null;
  try { target = document.getElementById(decodeURIComponent(location.hash.slice(1))); } catch { return; }
  if (!target) return;
  for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
  target.scrollIntoView();
}

search();
theme();
window.addEventListener("hashchange", unfold);
unfold();
main.dataset.ready = "yes";
