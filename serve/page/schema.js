// Schema: what the collection is made of, and what the server allows.

import { api } from "./api.js";
import { bytes, dialog, h, number, problem, sizes, taken } from "./dom.js";

export function schemaView(root, ctx) {
  const { info, server } = ctx, s = info.schema;
  const { vectors, indexes } = sizes(info);
  const pairs = [["Dimensions", number(s.dim)], ["Elements", s.element === "DOUBLE" ? "DOUBLE, 64 bits" : "FLOAT, 32 bits"], ["Metric", s.metric],
    ["Model", s.model || "–"], ["Texts are embedded here", info.embedder ? "yes" : "no"], ["Words", s.full_text || "not indexed"],
    ["Records", number(info.count)], ["Vectors alone", bytes(vectors)], ["Indexes", info.indexes.length ? bytes(indexes) : "none"]];
  if (info.usage) {
    pairs.push(["Takes", taken(info.usage) || "nothing yet"]);
    for (const p of info.usage.parts) if (taken(p)) pairs.push([`– ${p.name}${p.in ? ` of ${p.in}` : ""}`, taken(p)]);
  }
  root.append(h("div", { class: "split" },
    h("div", { class: "panel stack" }, h("h2", {}, "Collection"), h("dl", { class: "pairs" }, pairs.map(([k, v]) => [h("dt", {}, k), h("dd", {}, v)])),
      server.scope === "admin" ? h("div", {}, h("button", { type: "button", onclick: () => drop(ctx) }, "Remove the collection …")) : null),
    h("div", { class: "panel stack" }, h("h2", {}, "Fields"),
      s.fields?.length ? h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["name", "type", ""].map((t) => h("th", { scope: "col" }, t)))),
        h("tbody", {}, s.fields.map((f) => h("tr", {}, h("td", { class: "mono" }, f.name), h("td", {}, f.type), h("td", {}, f.index ? h("span", { class: "chip good" }, "indexed") : "")))))) : h("p", { class: "muted" }, "None."),
      h("p", { class: "small muted" }, "The API is described in ", h("a", { href: "openapi.json" }, "openapi.json"), "."))));
}

function drop(ctx) {
  const name = h("input", { "aria-label": "Name of the collection", autocomplete: "off" });
  const failed = h("div");
  const box = dialog("Remove " + ctx.name, h("form", {
    class: "stack", onsubmit: async (e) => {
      e.preventDefault();
      if (name.value !== ctx.name) return;
      try {
        await api.drop(ctx.name);
        box.close();
        location.hash = "";
        ctx.refresh();
      } catch (err) {
        failed.replaceChildren(problem(err));
      }
    },
  }, h("p", {}, `All ${number(ctx.info.count)} records go with it, for good. Type the name of the collection to confirm.`), name, failed,
  h("div", { class: "actions" }, h("button", { class: "primary", type: "submit" }, "Remove it"))));
  name.focus();
}
