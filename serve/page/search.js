// Search: by text, by words, by likeness to a record; two settings side by side.

import { api } from "./api.js";
import { h, marked, ms, number, plural, problem, say } from "./dom.js";
import { openRecord } from "./record.js";

export function searchView(root, ctx) {
  const compare = ctx.params.has("compare");
  const a = column(ctx, "A", "", compare);
  const columns = h("div", { class: "columns" + (compare ? " two" : "") }, a.el);
  let b;
  if (compare) {
    b = column(ctx, "B", "b", true);
    columns.append(b.el);
    a.other = b;
    b.other = a;
  }
  const button = h("button", { type: "button", class: "link", onclick: () => ctx.go("search", compare ? a.settings() : { ...a.settings(), ...prefix(a.settings()), compare: 1 }) },
    compare ? "Close the comparison" : "Compare two searches");
  root.append(h("div", { class: "stack" }, columns, h("div", {}, button)));
  const remember = () => history.replaceState(null, "", "#/" + encodeURIComponent(ctx.name) + "/search?" +
    new URLSearchParams({ ...clean(a.settings()), ...(b ? { ...clean(prefix(b.settings())), compare: 1 } : {}) }));
  a.remember = remember;
  if (b) b.remember = remember;
  a.run();
  b?.run();
  a.input.focus({ preventScroll: true });
}

const clean = (o) => Object.fromEntries(Object.entries(o).filter(([, v]) => v !== "" && v !== undefined));
const prefix = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => ["b" + k, v]));

// column is a search box with its settings and hits.
function column(ctx, title, pre, compare) {
  const { info, params } = ctx;
  const canEmbed = info.embedder, canWords = Boolean(info.schema.full_text);
  const get = (k, otherwise = "") => params.get(pre + k) ?? otherwise;
  const self = { other: null, hits: [], remember: () => {} };
  const input = h("input", {
    type: "search", value: get("q"), "data-key": pre ? null : "/", "aria-label": compare ? `Question ${title}` : "Question", autocomplete: "off", spellcheck: "false",
    placeholder: canEmbed || canWords ? "What are you looking for?" : "The server has no embedder for this collection: find records by likeness",
    disabled: !canEmbed && !canWords,
  });
  const like = h("input", { value: get("like"), placeholder: "record's ID", autocomplete: "off" });
  const filter = h("input", { value: get("filter"), placeholder: example(info.schema), autocomplete: "off", spellcheck: "false", class: "mono" });
  const k = h("input", { type: "number", min: "1", max: String(ctx.server.limits.k), value: get("k", "10") });
  const weight = h("input", { type: "range", min: "0", max: "100", step: "5", value: get("w", canEmbed && canWords ? "50" : canEmbed ? "100" : "0"), "aria-label": "Weight of meaning against words" });
  const exact = h("input", { type: "checkbox", checked: get("exact") !== "" });
  const weightText = h("output", { class: "visually-hidden" });
  const results = h("div", { class: "stack", "aria-busy": "false" });
  const form = h("form", { class: "panel", role: "search", onsubmit: (e) => { e.preventDefault(); like.value = input.value ? "" : like.value; self.run(); } },
    compare ? h("h2", { class: "small muted" }, title) : null,
    h("div", { class: "searchbox" }, input, h("button", { class: "primary", type: "submit" }, "Search")),
    h("div", { class: "settings" },
      h("label", { class: "field filter" }, "Filter", filter),
      h("label", { class: "field k" }, "Hits", k),
      canEmbed && canWords ? h("div", { class: "weights" }, h("span", {}, h("span", {}, "words"), h("span", {}, "meaning")), weight, weightText) : null,
      h("label", { class: "field" }, "Like record", like),
      info.indexes.length ? h("label", { class: "check" }, exact, "exact") : null));
  for (const el of [weight, k, exact]) el.addEventListener("change", () => self.run());

  self.el = h("div", { class: "stack" }, form, results);
  self.input = input;
  self.settings = () => ({ q: input.value, like: like.value, filter: filter.value, k: k.value === "10" ? "" : k.value, w: canEmbed && canWords && weight.value !== "50" ? weight.value : "", exact: exact.checked ? "1" : "" });

  let running;
  self.run = async () => {
    running?.abort();
    running = new AbortController();
    const signal = AbortSignal.any([running.signal, ctx.signal]);
    self.remember();
    if (!input.value && !like.value) {
      results.replaceChildren(h("div", { class: "empty" }, h("h2", {}, info.count ? "Ask something" : "The collection is empty"),
        h("p", {}, info.count ? "Type a question, or the ID of a record to find what is like it." : "Upload records to search them."),
        info.count ? null : h("button", { type: "button", onclick: () => ctx.go("upload") }, "Upload records")));
      return;
    }
    results.classList.add("busy");
    results.setAttribute("aria-busy", "true");
    const base = { k: Number(k.value) || 10 };
    if (filter.value.trim()) base.filter = filter.value.trim();
    if (exact.checked) base.exact = true;
    try {
      const begin = performance.now();
      const queries = await queriesOf(base);
      const answers = await api.searchMany(ctx.name, queries, signal);
      const took = performance.now() - begin;
      filter.removeAttribute("aria-invalid");
      show(answers.results, took);
    } catch (err) {
      if (err.name === "AbortError") return;
      if (err.details?.some((d) => d.includes("filter"))) filter.setAttribute("aria-invalid", "true");
      results.replaceChildren(problem(err));
    } finally {
      results.classList.remove("busy");
      results.setAttribute("aria-busy", "false");
    }
  };

  // The fused query comes first; then each leg alone, of which only the ranks are shown.
  async function queriesOf(base) {
    if (like.value && !input.value) {
      const r = await api.get(ctx.name, like.value);
      if (!r) throw Object.assign(new Error(`There is no record of the ID ${like.value}.`), { details: [] });
      return [{ ...base, vector: r.vector }];
    }
    const text = input.value, w = Number(weight.value) / 100;
    const words = { ...base, text, fusion: { text_only: true } }, meaning = { ...base, text };
    if (!canWords || (canEmbed && w === 1)) return [meaning];
    if (!canEmbed || w === 0) return [words];
    return [{ ...base, text, fusion: { vector_weight: 2 * w, text_weight: 2 * (1 - w) } }, { ...meaning, ids_only: true }, { ...words, ids_only: true }];
  }

  function show(answers, took) {
    const { hits, plan, exact: isExact } = answers[0];
    self.hits = hits;
    const legs = answers.length === 3 ? answers.slice(1).map((a) => new Map(a.hits.map((x, i) => [x.id, [i + 1, x]]))) : null;
    say(`${plural(hits.length, "hit")}`);
    const scores = hits.map((x) => x.score), best = Math.max(...scores), least = Math.min(...scores);
    results.replaceChildren(
      h("div", { class: "plan", "aria-label": "Plan" },
        h("span", { class: "chip accent" }, plan.path), h("span", { class: "chip" }, isExact ? "exact" : "approximate"),
        plan.effort ? h("span", { class: "chip" }, "effort ", h("b", {}, number(plan.effort))) : null,
        plan.records >= 0 ? h("span", { class: "chip" }, h("b", {}, number(plan.records)), "compared") : null,
        h("span", { class: "chip" }, h("b", {}, ms(took)), "with the network"),
        plan.why ? h("span", { class: "small" }, plan.why) : null),
      hits.length ? h("ol", { class: "hits" }, hits.map((hit, i) => item(hit, i, legs, least, best)))
        : h("div", { class: "empty" }, h("h2", {}, "Nothing found"), h("p", {}, "No record passes the filter, or has any of the words.")));
    if (self.other) {
      annotate(self);
      annotate(self.other);
    }
  }

  function item(hit, i, legs, least, best) {
    const question = like.value && !input.value ? "" : input.value;
    const bar = h("i");
    bar.style.width = `${Math.round(8 + (92 * (hit.score - least)) / (best - least || 1))}%`;
    return h("li", { class: "hit", "data-id": hit.id },
      h("span", { class: "rank" }, i + 1),
      h("div", {},
        h("button", { class: "link id", type: "button", "data-item": true, title: hit.id, onclick: () => openRecord(ctx, hit.id, question) }, hit.id),
        hit.text ? h("p", { class: "text" }, marked(cut(hit.text, question), question)) : null,
        h("div", { class: "tags" }, Object.entries(hit.fields || {}).slice(0, 8).map(([key, v]) => h("span", { class: "chip" }, key, h("b", {}, short(v)))))),
      h("div", { class: "score" }, h("span", { title: "Score" }, hit.score.toFixed(4)), h("div", { class: "bar", "aria-hidden": "true" }, bar),
        legs ? h("div", { class: "legs" }, ["meaning", "words"].map((name, j) => {
          const at = legs[j].get(hit.id);
          return h("span", { title: at ? `Score of the ${name} alone: ${at[1].score.toFixed(4)}` : `Not among the hits of the ${name} alone` }, at ? `${name} #${at[0]}` : `${name} –`);
        })) : null,
        h("div", { class: "more" })));
  }

  // annotate says of each hit where the other search has it.
  function annotate(side) {
    const ranks = new Map(side.other.hits.map((x, i) => [x.id, i]));
    for (const [i, li] of [...side.el.querySelectorAll(".hit")].entries()) {
      const there = ranks.get(li.dataset.id);
      const [text, tone, title] = there === undefined ? ["only here", "warm", "The other search does not find it"] : there === i ? ["same rank", "", "Both have it at this rank"]
        : there > i ? [`▲ ${there - i}`, "good", `${there - i} ranks higher here`] : [`▼ ${i - there}`, "", `${i - there} ranks lower here`];
      li.querySelector(".more").replaceChildren(h("span", { class: "chip " + tone, title, "aria-label": title }, text));
    }
  }
  return self;
}

// cut leaves the part of a text around the first of the question's words.
function cut(text, question) {
  const most = 420;
  if (text.length <= most) return text;
  const low = text.toLowerCase();
  const places = (question.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) || []).map((w) => low.indexOf(w)).filter((i) => i >= 0);
  const from = Math.max(0, Math.min(...(places.length ? places : [0])) - 80);
  const to = from + most;
  const part = text.slice(from, to).replace(from ? /^\S*\s/ : "", "").replace(to < text.length ? /\s\S*$/ : "", "");
  return (from ? "… " : "") + part + (to < text.length ? " …" : "");
}

export function short(v) {
  const s = typeof v === "object" ? JSON.stringify(v) : String(v);
  return s.length > 40 ? s.slice(0, 39) + "…" : s;
}

// example is a filter over the collection's own fields.
export function example(schema) {
  const parts = (schema.fields || []).slice(0, 2).map((f) => ({ Int: `${f.name} >= 2020`, Float: `${f.name} < 1.5`, Bool: f.name, Time: `${f.name} >= "2026-01-01"` }[f.type] || `${f.name} == "…"`));
  return parts.join(" && ") || 'prefix(id, "a")';
}
