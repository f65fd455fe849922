// The frame: which collections there are, which view is open, and the keyboard.
// The address says what is shown, after the #, so that it can be shared.

import { api, token } from "./api.js";
import { bytes, dialog, h, number, plural, problem, say, sizes, taken } from "./dom.js";
import { newCollection } from "./create.js";
import { searchView } from "./search.js";
import { browseView } from "./browse.js";
import { mapView } from "./map.js";
import { measureView } from "./measure.js";
import { uploadView } from "./upload.js";
import { schemaView } from "./schema.js";

const main = document.getElementById("main");
const views = [["search", "Search", searchView], ["browse", "Browse", browseView], ["map", "Map", mapView],
  ["measure", "Measure", measureView], ["upload", "Upload", uploadView], ["schema", "Schema", schemaView]];

export const state = { server: null, collections: [], info: null, stop: null };

// where reads the address: #/collection/view?parameters
function where() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, view] = path.split("/").map(decoded);
  return { name: name || "", view: views.some(([id]) => id === view) ? view : "search", params: new URLSearchParams(query || "") };
}

// decoded reads a part of the address, which somebody may have typed.
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function go(name, view, params = {}) {
  const query = new URLSearchParams(Object.entries(params).filter(([, v]) => v !== "" && v !== undefined && v !== null)).toString();
  location.hash = `#/${encodeURIComponent(name)}/${view}${query ? "?" + query : ""}`;
}

async function listCollections() {
  state.collections = await api.collections();
  const { name } = where();
  const nav = document.getElementById("collections");
  nav.replaceChildren(...state.collections.map((s) => h("a", { href: `#/${encodeURIComponent(s.name)}/search`, "aria-current": s.name === name ? "page" : null },
    h("span", { title: s.name }, s.name), h("span", { class: "count", "data-count": s.name }))));
  for (const s of state.collections) {
    api.collection(s.name).then((info) => {
      const el = nav.querySelector(`[data-count="${CSS.escape(s.name)}"]`);
      if (!el) return;
      const { vectors, indexes } = sizes(info);
      el.textContent = `${number(info.count)} · ${bytes(vectors + indexes)}`;
      el.title = `${plural(info.count, "record")}: vectors of ${bytes(vectors)}` + (info.indexes.length ? `, indexes of ${bytes(indexes)}` : "") + (taken(info.usage) ? `; takes ${taken(info.usage)}` : "");
    }, () => {});
  }
}

// refresh reads what there is again, after a change.
export async function refresh() {
  await listCollections();
  await show();
}

async function show() {
  state.stop?.abort();
  state.stop = new AbortController();
  const signal = state.stop.signal;
  const { name, view, params } = where();
  for (const a of document.querySelectorAll("#collections a")) {
    if (decoded(a.hash.split("/")[1]) === name) a.setAttribute("aria-current", "page");
    else a.removeAttribute("aria-current");
  }
  document.title = name ? `${name} · vecwire` : "vecwire";
  if (!name) return welcome();
  let info;
  try {
    info = await api.collection(name);
  } catch (err) {
    return signal.aborted ? undefined : fail(err); // of a collection that was left meanwhile
  }
  if (signal.aborted) return;
  state.info = info;
  const body = h("section", { id: "view", role: "tabpanel", "aria-labelledby": "tab-" + view });
  main.replaceChildren(head(info), tabs(name, view), body);
  const [, , open] = views.find(([id]) => id === view);
  open(body, { name, info, server: state.server, params, signal, go: (v, p) => go(name, v, p), refresh, recount });
}

// recount shows how many records there are now, and leaves the view as it is.
async function recount() {
  const { name } = where();
  await listCollections();
  const info = await api.collection(name);
  if (where().name === name) main.querySelector(".head")?.replaceWith(head(info));
}

function head(info) {
  const s = info.schema;
  const chips = [h("span", { class: "chip" }, h("b", {}, plural(info.count, "record"))), h("span", { class: "chip" }, h("b", {}, number(s.dim)), "dimensions"),
    h("span", { class: "chip" }, s.metric)];
  if (s.model) chips.push(h("span", { class: "chip " + (info.embedder ? "accent" : ""), title: info.embedder ? "The server embeds texts with this model" : "The server has no embedder for this model" }, s.model));
  if (s.full_text) chips.push(h("span", { class: "chip" }, s.full_text === "english" ? "English words" : "words"));
  if (info.indexes.length) chips.push(h("span", { class: "chip " + (info.indexes.every((i) => i.valid) ? "good" : "warm") }, info.indexes.every((i) => i.valid) ? "indexed" : "index is being built"));
  return h("div", { class: "head" }, h("h1", {}, s.name), h("div", { class: "facts" }, chips));
}

function tabs(name, view) {
  return h("div", { role: "tablist", "aria-label": "Views of " + name }, views.map(([id, title]) => h("button", {
    role: "tab", id: "tab-" + id, type: "button", "aria-selected": String(id === view), "aria-controls": "view", tabindex: id === view ? "0" : "-1",
    onclick: () => go(name, id),
    onkeydown: (e) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
      if (!step) return;
      const all = [...e.target.parentElement.children];
      const next = all[(all.indexOf(e.target) + step + all.length) % all.length];
      next.focus();
    },
  }, title)));
}

function welcome() {
  if (state.collections.length) return go(state.collections[0].name, "search");
  main.replaceChildren(h("div", { class: "empty" }, h("h2", {}, "No collections yet"),
    h("p", {}, "A collection holds records of one schema: an ID, a vector, a text and fields."),
    h("button", { class: "primary", type: "button", onclick: () => newCollection(state, go, refresh) }, "Make a collection")));
}

function fail(err) {
  const children = [problem(err)];
  if (err.status === 401) children.push(h("button", { class: "primary", type: "button", onclick: askToken }, "Give a token"));
  main.replaceChildren(h("div", { class: "stack" }, children));
}

function askToken() {
  const input = h("input", { type: "password", autocomplete: "off", value: token.get(), "aria-label": "Token", class: "grow" });
  const box = dialog("Token", h("form", {
    method: "dialog", class: "stack", onsubmit: (e) => {
      e.preventDefault();
      token.set(input.value.trim());
      box.close();
      start();
    },
  }, h("p", { class: "muted" }, "It is sent with every request and kept until this tab is closed."), input,
  h("div", { class: "actions" }, h("button", { class: "primary", type: "submit" }, "Use it"))));
  input.focus();
}

function showKeys() {
  const keys = [["/", "to the search box, or the filter"], ["1 … 6", "the views"], ["j  k", "next and previous hit or record"], ["Enter", "open it"],
    ["[  ]", "previous and next collection"], ["Esc", "close a dialog"], ["t", "light or dark"], ["?", "this list"]];
  dialog("Keyboard", h("dl", { class: "pairs" }, keys.map(([k, what]) => [h("dt", {}, k.split("  ").map((x) => [h("kbd", {}, x), " "])), h("dd", {}, what)])));
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("vecwire-theme", theme);
  document.dispatchEvent(new Event("theme"));
}

const otherTheme = () => setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark");

document.addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || document.querySelector("dialog[open]")) return;
  if (/^(INPUT|SELECT|TEXTAREA)$/.test(e.target.tagName)) {
    if (e.key === "Escape") e.target.blur();
    return;
  }
  const { name, view } = where();
  const at = state.collections.findIndex((c) => c.name === name);
  if (e.key === "/") document.querySelector("[data-key='/']")?.focus();
  else if (e.key === "?") showKeys();
  else if (e.key === "t") otherTheme();
  else if (/^[1-6]$/.test(e.key) && name) go(name, views[e.key - 1][0]);
  else if ((e.key === "[" || e.key === "]") && at >= 0) {
    go(state.collections[(at + (e.key === "]" ? 1 : -1) + state.collections.length) % state.collections.length].name, view);
  } else if (e.key === "j" || e.key === "k") {
    const all = [...document.querySelectorAll("[data-item]")];
    const now = all.indexOf(document.activeElement);
    all[Math.max(0, Math.min(all.length - 1, now < 0 ? 0 : now + (e.key === "j" ? 1 : -1)))]?.focus();
  } else return;
  e.preventDefault();
});

async function start() {
  try {
    state.server = await api.server();
    document.getElementById("server").textContent = state.server.engine;
    document.getElementById("new").hidden = state.server.scope !== "admin";
    await listCollections();
    await show();
  } catch (err) {
    document.getElementById("collections").replaceChildren();
    fail(err);
  }
  say("Ready");
}

setTheme(localStorage.getItem("vecwire-theme") || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
document.getElementById("theme").addEventListener("click", otherTheme);
document.getElementById("token").addEventListener("click", askToken);
document.getElementById("help").addEventListener("click", showKeys);
document.getElementById("new").addEventListener("click", () => newCollection(state, go, refresh));
addEventListener("hashchange", show);
start();
