// Upload: a file of records, one JSON object a line, in parts that show progress.

import { api } from "./api.js";
import { bytes, h, number, plural, problem, say } from "./dom.js";

const part = 1 << 20; // bytes
const shownFailures = 100;

export function uploadView(root, ctx) {
  const { info, server } = ctx;
  const input = h("input", { type: "file", accept: ".jsonl,.ndjson,.json,application/x-ndjson", class: "visually-hidden", id: "file", onchange: () => input.files[0] && send(input.files[0]) });
  const out = h("div", { class: "stack" });
  const drop = h("div", { class: "drop" },
    h("h2", {}, "Drop a file of JSON lines here"),
    h("p", { class: "muted" }, "or"),
    h("button", { class: "primary", type: "button", onclick: () => input.click() }, "Choose a file"),
    input, h("label", { for: "file", class: "visually-hidden" }, "File of JSON lines"),
    h("p", { class: "small muted" }, "A record replaces the one that has its ID. A line:"),
    h("code", { class: "mono small" }, sampleLine(info)));
  for (const [event, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    drop.addEventListener(event, (e) => {
      e.preventDefault();
      drop.classList.toggle("over", over);
      if (event === "drop" && e.dataTransfer.files[0]) send(e.dataTransfer.files[0]);
    });
  }

  async function send(file) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": "Upload" });
    const told = h("p", { class: "muted" });
    const failures = h("tbody");
    let stored = 0, failed = 0, line = 0, done = 0;
    const stop = new AbortController();
    const cancel = h("button", { type: "button", onclick: () => stop.abort() }, "Stop");
    const table = h("div", { class: "panel scroll", hidden: true }, h("h2", {}, "Records that were refused"), h("table", {},
      h("thead", {}, h("tr", {}, ["record", "id", "why"].map((t) => h("th", { scope: "col" }, t)))), failures));
    out.replaceChildren(h("div", { class: "panel stack" }, h("div", { class: "row" }, h("b", { class: "grow" }, file.name, " ", h("span", { class: "muted" }, bytes(file.size))), cancel), bar, told), table);
    const begin = performance.now();
    try {
      for await (const lines of partsOf(file)) {
        if (stop.signal.aborted || ctx.signal.aborted) break;
        const results = await api.store(ctx.name, lines.blob);
        const summary = results.pop();
        for (const r of results) {
          if (failures.children.length < shownFailures) {
            failures.append(h("tr", {}, h("td", { class: "num" }, number(line + r.index + 1)), h("td", { class: "mono" }, r.id || "–"), h("td", {}, why(r.error))));
          }
        }
        table.hidden = failures.children.length === 0;
        stored += summary.stored;
        failed += summary.failed;
        line += summary.stored + summary.failed;
        done += lines.blob.size;
        if (summary.error) throw Object.assign(new Error(summary.error.detail), { details: [] });
        bar.value = done / file.size;
        told.textContent = `${plural(stored, "record")} stored, ${number(failed)} refused`;
      }
      const seconds = (performance.now() - begin) / 1000;
      out.prepend(h("div", { class: "notice good", role: "status" }, `${plural(stored, "record")} stored${failed ? `, ${number(failed)} refused` : ""} in ${seconds.toFixed(1)} s. `,
        h("button", { class: "link", type: "button", onclick: () => ctx.go("browse") }, "Look at them")));
      say("The upload has ended");
      ctx.recount();
    } catch (err) {
      out.prepend(problem(err));
    } finally {
      cancel.remove();
    }
  }

  root.append(server.scope === "read" ? h("p", { class: "notice" }, "The token may only read.") : h("div", { class: "stack" }, drop, out));
}

// partsOf divides a file at ends of lines, and reads as little of it as it can.
async function* partsOf(file) {
  for (let from = 0; from < file.size;) {
    let to = Math.min(from + part, file.size);
    while (to < file.size) {
      const piece = new Uint8Array(await file.slice(to, Math.min(to + 65536, file.size)).arrayBuffer());
      const end = piece.indexOf(10);
      to += end < 0 ? piece.length : end + 1;
      if (end >= 0) break;
    }
    yield { blob: file.slice(from, to) };
    from = to;
  }
}

function why(e) {
  if (!e) return "";
  const at = e.pointer ? e.pointer + ": " : "";
  return at + (e.detail || `${e.got}, want ${e.want}`);
}

// sampleLine is a record as the collection takes it.
function sampleLine(info) {
  const s = info.schema, fields = {};
  for (const f of (s.fields || []).slice(0, 3)) fields[f.name] = { Int: 2026, Float: 0.5, Bool: true, Time: "2026-11-29T12:00:00Z", Bytes: "AAEC" }[f.type] ?? "…";
  const r = { id: "1", text: "…", ...(info.embedder ? {} : { vector: "…" }), ...(Object.keys(fields).length ? { fields } : {}) };
  return JSON.stringify(r).replace('"vector":"…"', `"vector":[${s.dim} numbers]`);
}
