// The dialog of one record.

import { api } from "./api.js";
import { dialog, h, marked, problem, say, svg } from "./dom.js";

export async function openRecord(ctx, id, question) {
  let r;
  try {
    r = await api.get(ctx.name, id);
  } catch (err) {
    return dialog(id, problem(err));
  }
  if (!r) return dialog(id, h("p", { class: "muted" }, "There is no record of this ID any more."));
  const fields = Object.entries(r.fields || {});
  const box = dialog(id,
    h("div", { class: "stack" },
      r.text ? h("div", { class: "whole" }, marked(r.text, question)) : null,
      fields.length ? h("dl", { class: "pairs" }, fields.map(([k, v]) => [h("dt", {}, k), h("dd", { class: "mono" }, typeof v === "object" ? JSON.stringify(v) : String(v))])) : null,
      h("div", {}, h("p", { class: "small muted" }, `${r.vector.length} dimensions`), spark(r.vector))),
    h("div", { class: "actions" },
      h("button", { type: "button", onclick: () => navigator.clipboard?.writeText(JSON.stringify(r)).then(() => say("Copied")) }, "Copy as JSON"),
      ctx.server.scope === "read" ? null : h("button", {
        type: "button", onclick: async () => {
          if (!confirm(`Delete the record ${id}?`)) return;
          try {
            await api.remove(ctx.name, id);
            box.close();
            ctx.refresh();
          } catch (err) {
            box.append(problem(err));
          }
        },
      }, "Delete"),
      h("button", { type: "button", class: "primary", onclick: () => { box.close(); ctx.go("search", { like: id }); } }, "Find similar")));
  return box;
}

// spark draws a vector's elements as a line.
function spark(v) {
  const most = Math.max(...v.map(Math.abs)) || 1;
  const d = v.map((x, i) => `${i ? "L" : "M"}${((i / Math.max(1, v.length - 1)) * 600).toFixed(1)} ${(28 - (x / most) * 26).toFixed(1)}`).join("");
  return svg("svg", { class: "spark", viewBox: "0 0 600 56", preserveAspectRatio: "none", role: "img", "aria-label": "The vector's elements" }, svg("path", { d }));
}
