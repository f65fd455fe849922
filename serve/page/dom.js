// Elements, numbers and dialogs: what all views share.

// h makes an element. Text is always set as text, never as HTML.
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  set(el, props);
  el.append(...children.flat(9).filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

// svg makes an element of SVG.
export function svg(tag, props = {}, ...children) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [k, v] of Object.entries(props)) el.setAttribute(k, v);
  el.append(...children.flat(9));
  return el;
}

function set(el, props) {
  for (const [k, v] of Object.entries(props)) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k === "class") el.className = v;
    else if (k in el && typeof v !== "string") el[k] = v;
    else el.setAttribute(k, v === true ? "" : v);
  }
}

export const number = (n) => Number(n).toLocaleString("en");

// plural says how many there are of something.
export const plural = (n, one, many = one + "s") => `${number(n)} ${Number(n) === 1 ? one : many}`;

export function bytes(n) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (n < 1024 || unit === "GiB") return `${n < 10 && unit !== "B" ? n.toFixed(1) : Math.round(n)} ${unit}`;
    n /= 1024;
  }
}

// sizes says how many bytes the vectors and the indexes of a collection have.
export const sizes = (info) => ({
  vectors: info.count * info.schema.dim * (info.schema.element === "DOUBLE" ? 8 : 4),
  indexes: info.indexes.reduce((sum, i) => sum + i.bytes, 0),
});

// taken says in words what a collection, or a part of one, was measured to take; "" if
// that is not known.
export const taken = (u) => (u ? [[u.memory_bytes, "of memory"], [u.mapped_bytes, "mapped from files"], [u.server_bytes, "on the database's disk"]]
  .filter(([n]) => n > 0).map(([n, where]) => `${bytes(n)} ${where}`).join(", ") : "");

// ms writes a time with as many digits as tell something.
export const ms = (t) => (t < 1 ? `${t.toFixed(2)} ms` : t < 10 ? `${t.toFixed(1)} ms` : `${Math.round(t)} ms`);

// say tells a screen reader what has happened.
export function say(text) {
  document.getElementById("status").textContent = text;
}

// problem shows an error where it happened.
export function problem(err) {
  say(err.message);
  return h("div", { class: "notice bad", role: "alert" }, err.message,
    ...(err.details || []).slice(err.message.includes(err.details?.[0]) ? 1 : 0).map((d) => h("div", { class: "small" }, d)));
}

// dialog shows a modal dialog and removes it when it is closed.
export function dialog(title, ...children) {
  const heading = h("h2", { id: "dialog-title" }, title);
  const box = h("dialog", { "aria-labelledby": "dialog-title" },
    h("header", {}, heading, h("button", { class: "icon", type: "button", "aria-label": "Close", onclick: () => box.close() }, "✕")),
    ...children);
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", (e) => e.target === box && box.close());
  document.body.append(box);
  box.showModal();
  return box;
}

// marked returns a text in which the words of a question are marked.
export function marked(text, question) {
  const all = (question || "").normalize("NFKC").toLowerCase().match(/[\p{L}\p{N}\p{M}]+/gu) || [];
  const long = all.filter((w) => w.length > 2); // "a" and "of" stand everywhere
  const words = long.length ? long : all;
  if (words.length === 0) return [text];
  const out = [];
  let last = 0;
  for (const m of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    const word = m[0].normalize("NFKC").toLowerCase();
    if (!words.some((w) => w === word || (w.length > 3 && word.startsWith(w)))) continue;
    out.push(text.slice(last, m.index), h("mark", {}, m[0]));
    last = m.index + m[0].length;
  }
  return [...out, text.slice(last)];
}
