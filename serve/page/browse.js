// Browse: the records page by page, in the order of their IDs.

import { api } from "./api.js";
import { h, number, plural, problem, say } from "./dom.js";
import { openRecord } from "./record.js";
import { example, short } from "./search.js";

const size = 50;

export function browseView(root, ctx) {
  const fields = ctx.info.schema.fields || [];
  const filter = h("input", { value: ctx.params.get("filter") || "", placeholder: example(ctx.info.schema), class: "mono", "data-key": "/", autocomplete: "off", spellcheck: "false" });
  const sortable = fields.filter((f) => ["String", "Int", "Float", "Bool", "Time"].includes(f.type));
  const order = h("select", {}, h("option", { value: "" }, "id"), sortable.map((f) => [h("option", { value: f.name }, f.name + " ↑"), h("option", { value: f.name + " desc" }, f.name + " ↓")]));
  const facet = h("select", {}, h("option", { value: "" }, "no field"), sortable.map((f) => h("option", { value: f.name }, f.name)));
  const values = h("div", { class: "facts", "aria-label": "Values" });
  const total = h("span", { class: "muted small" });
  const body = h("tbody");
  const failed = h("div");
  const before = [];
  let after = "", last = "", shown = 0;
  const previous = h("button", { type: "button", onclick: () => { after = before.pop() ?? ""; shown -= size; load(); } }, "Previous");
  const next = h("button", { type: "button", onclick: () => { before.push(after); after = last; shown += size; load(); } }, "Next");
  const range = h("span", { class: "muted small" });

  async function load() {
    const f = filter.value.trim();
    failed.replaceChildren();
    body.classList.add("busy");
    try {
      const [by, desc] = order.value.split(" ");
      const page = await api.page(ctx.name, { limit: size, ...(after ? { after } : {}), ...(f ? { filter: f } : {}), ...(by ? { order_by: by } : {}), ...(desc ? { desc: true } : {}) }, ctx.signal);
      const records = page.records, more = page.after !== null;
      last = page.after ?? "";
      body.replaceChildren(...records.map((r) => h("tr", { class: "open", onclick: () => openRecord(ctx, r.id) },
        h("td", { class: "id" }, h("button", { class: "link", type: "button", "data-item": true, title: r.id, onclick: (e) => { e.stopPropagation(); openRecord(ctx, r.id); } }, r.id)),
        h("td", { class: "text" }, (r.text || "").slice(0, 240)),
        fields.map((x) => h("td", { class: "value" + (x.type === "Int" || x.type === "Float" ? " num" : "") }, r.fields?.[x.name] === undefined ? h("span", { class: "muted" }, "–") : short(r.fields[x.name]))))));
      if (!records.length) body.append(h("tr", {}, h("td", { class: "muted", colspan: String(2 + fields.length) }, "No records.")));
      range.textContent = records.length ? `${number(shown + 1)} – ${number(shown + records.length)}` : "";
      previous.disabled = before.length === 0;
      next.disabled = !more;
      filter.removeAttribute("aria-invalid");
      say(plural(records.length, "record"));
    } catch (err) {
      if (err.name === "AbortError") return;
      filter.setAttribute("aria-invalid", "true");
      failed.replaceChildren(problem(err));
    } finally {
      body.classList.remove("busy");
    }
  }

  // count shows how many records have each value, as buttons that filter by it.
  async function count() {
    values.replaceChildren();
    if (!facet.value) return;
    try {
      const f = filter.value.trim();
      const all = await api.facets(ctx.name, { field: facet.value, limit: 30, ...(f ? { filter: f } : {}) });
      const type = fields.find((x) => x.name === facet.value).type;
      values.replaceChildren(...all.map((v) => h("button", {
        class: "chip facet", type: "button", onclick: () => {
          const part = v.value === null ? `isNull(${facet.value})` : `${facet.value} == ${type === "String" || type === "Time" ? JSON.stringify(v.value) : v.value}`;
          filter.value = filter.value.trim() ? `(${filter.value.trim()}) && ${part}` : part;
          restart();
        },
      }, v.value === null ? "none" : short(v.value), h("b", {}, number(v.count)))));
    } catch (err) {
      values.replaceChildren(problem(err));
    }
  }

  async function restart() {
    before.length = 0;
    after = "";
    shown = 0;
    history.replaceState(null, "", `#/${encodeURIComponent(ctx.name)}/browse${filter.value ? "?filter=" + encodeURIComponent(filter.value) : ""}`);
    await load();
    count();
    if (!failed.children.length) api.count(ctx.name, filter.value.trim()).then((n) => (total.textContent = plural(n, "record") + (filter.value.trim() ? " pass" : "")), () => {});
  }

  order.addEventListener("change", restart);
  facet.addEventListener("change", count);
  root.append(h("div", { class: "stack" },
    h("form", { class: "row", role: "search", onsubmit: (e) => { e.preventDefault(); restart(); } },
      h("label", { class: "field grow" }, "Filter", filter), h("button", { class: "primary", type: "submit" }, "Filter"), total),
    h("div", { class: "row" }, h("label", { class: "field" }, "Order by", order),
      ctx.server.capabilities.facets && sortable.length ? h("label", { class: "field" }, "Count values of", facet) : null, values),
    failed,
    h("div", { class: "panel" }, h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Records" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "id"), h("th", { scope: "col" }, "text"), fields.map((f) => h("th", { scope: "col", title: f.type, class: f.type === "Int" || f.type === "Float" ? "num" : "" }, f.name)))), body)),
    h("div", { class: "pager" }, previous, range, next))));
  restart();
}
