// The dialog that makes a collection.

import { api } from "./api.js";
import { dialog, h, problem } from "./dom.js";

const types = ["String", "Int", "Float", "Bool", "Time", "Bytes", "Strings", "Ints", "Floats"];

export function newCollection(state, go, refresh) {
  const embedders = state.server?.embedders || [];
  const name = h("input", { required: true, pattern: "[A-Za-z][A-Za-z0-9_]{0,47}", title: "Letters, digits and underscores, beginning with a letter", autocomplete: "off" });
  const model = h("select", {}, embedders.map((e) => h("option", { value: e.model }, `${e.model} (${e.dim})`)), h("option", { value: "" }, "none: records bring vectors"));
  const dim = h("input", { type: "number", min: "1", max: String(state.server?.capabilities.max_dim || 65535), value: "384" });
  const dimField = h("label", { class: "field" }, "Dimensions", dim);
  const metric = h("select", {}, ["cosine", "dot", "l2"].map((m) => h("option", {}, m)));
  const words = h("select", {}, h("option", { value: "" }, "no"), h("option", { value: "words" }, "in any language"), h("option", { value: "english" }, "English, by stems"));
  if (state.server?.capabilities.full_text) words.value = "words";
  const rows = h("div", { class: "stack" });
  const addField = () => {
    const row = h("div", { class: "row field-row" },
      h("input", { class: "grow", "aria-label": "Name of the field", placeholder: "name", pattern: "[A-Za-z][A-Za-z0-9_]{0,47}" }),
      h("select", { "aria-label": "Type of the field" }, types.map((t) => h("option", {}, t))),
      h("label", { class: "check" }, h("input", { type: "checkbox" }), "indexed"),
      h("button", { class: "icon", type: "button", "aria-label": "Remove the field", onclick: () => row.remove() }, "✕"));
    rows.append(row);
    return row;
  };
  const failed = h("div");
  const showDim = () => (dimField.hidden = model.value !== "");
  model.addEventListener("change", showDim);
  showDim();
  const form = h("form", {
    class: "stack", onsubmit: async (e) => {
      e.preventDefault();
      const fields = [...rows.children].map((r) => {
        const [n, t, i] = r.querySelectorAll("input[aria-label], select, input[type=checkbox]");
        return { name: n.value, type: t.value, index: i.checked };
      }).filter((f) => f.name);
      const schema = { name: name.value, metric: metric.value, fields };
      if (model.value) schema.model = model.value;
      else schema.dim = Number(dim.value);
      if (words.value) schema.full_text = words.value;
      try {
        await api.create(schema);
        box.close();
        await refresh();
        go(schema.name, "upload");
      } catch (err) {
        failed.replaceChildren(problem(err));
      }
    },
  }, h("div", { class: "row" }, h("label", { class: "field grow" }, "Name", name), h("label", { class: "field" }, "Metric", metric)),
  h("div", { class: "row" }, h("label", { class: "field grow" }, "Embedding model", model), dimField, h("label", { class: "field" }, "Search by words", words)),
  h("div", { class: "stack" }, h("h3", { class: "small muted" }, "Fields"), rows, h("div", {}, h("button", { type: "button", class: "link", onclick: () => addField().querySelector("input").focus() }, "+ Add a field"))),
  failed, h("div", { class: "actions" }, h("button", { class: "primary", type: "submit" }, "Make it")));
  const box = dialog("New collection", form);
  name.focus();
}
