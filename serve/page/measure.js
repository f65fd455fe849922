// Measure: what the index misses, and what it costs, by effort.

import { api } from "./api.js";
import { bytes, h, ms, number, problem, say, svg } from "./dom.js";

const efforts = [10, 20, 40, 80, 160, 320];

export function measureView(root, ctx) {
  const { info, server } = ctx;
  const sample = h("input", { type: "number", min: "1", max: String(server.limits.sample), value: "100" });
  const k = h("input", { type: "number", min: "1", max: String(server.limits.k), value: "10" });
  const button = h("button", { class: "primary", type: "submit" }, "Measure");
  const out = h("div", { class: "stack" });
  const indexes = info.indexes.length
    ? h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["index", "kind", "links", "built with", "size", "state"].map((t) => h("th", { scope: "col" }, t)))),
      h("tbody", {}, info.indexes.map((x) => h("tr", {}, h("td", { class: "mono" }, x.name), h("td", {}, x.kind), h("td", {}, number(x.m)), h("td", {}, number(x.ef_construction)), h("td", {}, bytes(x.bytes)),
        h("td", {}, h("span", { class: "chip " + (x.valid ? "good" : "warm") }, x.valid ? "ready" : "being built")))))))
    : h("p", { class: "muted" }, "There is no index: every search compares all records, and is exact.");
  const build = server.capabilities.indexes && server.scope === "admin" && !info.indexes.length ? h("button", {
    type: "button", onclick: async () => {
      build.disabled = true;
      build.textContent = "Building …";
      try {
        await api.buildIndex(ctx.name);
        ctx.refresh();
      } catch (err) {
        out.replaceChildren(problem(err));
        build.disabled = false;
        build.textContent = "Build an index";
      }
    },
  }, "Build an index") : null;

  async function run() {
    button.disabled = true;
    out.classList.add("busy");
    try {
      const body = { sample: Number(sample.value), k: Number(k.value) };
      if (server.capabilities.effort && info.indexes.length) body.efforts = efforts;
      const { reports } = await api.recall(ctx.name, body, ctx.signal);
      say("Measured");
      out.replaceChildren(reports[0].queries === 0 ? h("p", { class: "muted" }, "There are no records to measure with.") : h("div", { class: "split" },
        h("div", { class: "panel plot" }, h("h2", {}, "Recall and latency"), plot(reports)),
        h("div", { class: "panel scroll" }, h("table", {},
          h("thead", {}, h("tr", {}, ["effort", "recall", "worst", "p50", "p95", "exact p50"].map((t) => h("th", { scope: "col", class: "num" }, t)))),
          h("tbody", {}, reports.map((r) => h("tr", {}, [r.effort || "own", r.mean.toFixed(4), r.min.toFixed(2), ms(r.index.p50_ms), ms(r.index.p95_ms), ms(r.exact.p50_ms)].map((v) => h("td", { class: "num" }, v)))))),
        h("p", { class: "small muted" }, `${number(reports[0].queries)} records of the collection were searched for, on the server, one after another.`))));
    } catch (err) {
      if (err.name !== "AbortError") out.replaceChildren(problem(err));
    } finally {
      button.disabled = false;
      out.classList.remove("busy");
    }
  }

  root.append(h("div", { class: "stack" },
    h("div", { class: "panel stack" }, h("h2", {}, "Index"), indexes, build ? h("div", {}, build) : null),
    h("form", { class: "row", onsubmit: (e) => { e.preventDefault(); run(); } },
      h("label", { class: "field" }, "Queries", sample), h("label", { class: "field" }, "Hits compared", k), button,
      server.scope === "admin" ? null : h("span", { class: "muted small" }, "needs the scope admin")),
    out));
}

// plot draws latency over recall, a point for each effort.
function plot(reports) {
  const W = 560, H = 320, L = 58, R = 16, T = 26, B = 44;
  const least = Math.min(...reports.map((r) => r.mean), .99), x0 = Math.max(0, least - (1 - least) * .1), x1 = 1;
  const exact = Math.max(...reports.map((r) => r.exact.p50_ms));
  const top = Math.max(exact, ...reports.map((r) => r.index.p95_ms)) * 1.12 || 1;
  const x = (v) => L + ((v - x0) / (x1 - x0 || 1)) * (W - L - R), y = (v) => H - B - (v / top) * (H - T - B);
  const line = (key) => reports.map((r, i) => `${i ? "L" : "M"}${x(r.mean).toFixed(1)} ${y(r.index[key]).toFixed(1)}`).join("");
  const ticks = [0, .25, .5, .75, 1];
  return svg("svg", { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": "Latency over recall, a point for each effort; the table beside it has the numbers" },
    ticks.map((t) => [svg("line", { class: "axis", x1: L, x2: W - R, y1: y(t * top), y2: y(t * top) }), label(L - 8, y(t * top) + 4, `${(t * top).toPrecision(2)}`, "end")]),
    ticks.map((t) => label(x(x0 + t * (x1 - x0)), H - B + 20, (x0 + t * (x1 - x0)).toFixed(3), "middle")),
    label((L + W - R) / 2, H - 6, "recall", "middle"), label(L - 8, 14, "ms", "end"),
    svg("line", { class: "exact", x1: L, x2: W - R, y1: y(exact), y2: y(exact) }), label(W - R, y(exact) - 6, "exact p50", "end"),
    svg("path", { class: "p95", d: line("p95_ms") }), svg("path", { class: "p50", d: line("p50_ms") }),
    reports.map((r) => [svg("circle", { class: "dot95", cx: x(r.mean), cy: y(r.index.p95_ms), r: 5 }), svg("circle", { class: "dot50", cx: x(r.mean), cy: y(r.index.p50_ms), r: 5 }, title(r))]),
    svg("circle", { class: "dot50", cx: L + 16, cy: 12, r: 5 }), label(L + 26, 16, "p50", "start"), svg("circle", { class: "dot95", cx: L + 70, cy: 12, r: 5 }), label(L + 80, 16, "p95", "start"));
}

function label(x, y, text, anchor) {
  const el = svg("text", { x, y, "text-anchor": anchor });
  el.textContent = text;
  return el;
}

function title(r) {
  const el = svg("title");
  el.textContent = `effort ${r.effort || "own"}: recall ${r.mean.toFixed(4)}, p50 ${ms(r.index.p50_ms)}`;
  return el;
}
