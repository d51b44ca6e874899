// The documentation works without this; with it one can search, and copy examples that are for this very server.
"use strict";

const FOUND_MAX = 30;

const by = (id) => document.getElementById(id);

for (const code of document.querySelectorAll("pre > code")) {
  const written = document.body.dataset.address;
  code.textContent = code.textContent
    .replaceAll(written, location.origin)
    .replaceAll(written.replace("http", "ws"), location.origin.replace("http", "ws"));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", () => copy(code, button));
  code.parentElement.prepend(button);
}

// A page that did not come over https has no clipboard: then the text is marked, to be copied by hand.
async function copy(code, button) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    button.textContent = "Copied";
  } catch {
    getSelection().selectAllChildren(code);
    button.textContent = "Marked";
  }
  setTimeout(() => { button.textContent = "Copy"; }, 2000);
}

for (const link of document.querySelectorAll(".columns > nav a")) {
  if (link.pathname === location.pathname) link.setAttribute("aria-current", "page");
}

let entries = null;

function known() {
  entries ??= fetch("/docs/search.json").then((answer) => {
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  });
  entries.catch(() => { entries = null; });
  return entries;
}

// The shorter a name that fits, the more likely it is meant; what only says so in its text comes last.
function fitting(all, sought) {
  const words = sought.toLowerCase().split(/\s+/);
  const rank = ({ name, says }) => {
    const called = name.toLowerCase();
    if (words.every((word) => called.includes(word))) return called.length;
    return words.every((word) => (called + " " + says.toLowerCase()).includes(word)) ? 1000 : Infinity;
  };
  return all
    .map((entry) => [rank(entry), entry])
    .filter(([place]) => place < Infinity)
    .sort(([one], [other]) => one - other)
    .map(([, entry]) => entry);
}

function line({ name, kind, address, says }) {
  const item = document.createElement("li");
  const link = document.createElement("a");
  const more = document.createElement("small");
  link.href = address;
  link.textContent = name;
  more.textContent = says ? `${kind}: ${says}` : kind;
  link.append(more);
  item.append(link);
  return item;
}

async function search() {
  const sought = by("sought").value.trim();
  let found = [];
  let told = "";
  if (sought) {
    try {
      found = fitting(await known(), sought);
      told = found.length === 1 ? "1 found" : `${found.length} found`;
    } catch {
      told = "The server does not answer.";
    }
  }
  if (sought !== by("sought").value.trim()) return; // somebody typed on meanwhile
  by("count").textContent = told;
  by("found").replaceChildren(...found.slice(0, FOUND_MAX).map(line));
}

function end() {
  by("sought").value = "";
  search();
}

by("search").hidden = false;
by("sought").addEventListener("input", search);
by("found").addEventListener("click", end);
by("search").addEventListener("keydown", (event) => {
  if (event.key === "Escape") end();
  if (event.key === "Enter" && event.target === by("sought")) by("found").querySelector("a")?.click();
});
