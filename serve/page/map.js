// Map: a sample of the vectors on a plane. Points are records.

import { api } from "./api.js";
import { h, number, plural, problem, say } from "./dom.js";
import { openRecord } from "./record.js";

// Ten colours that can be told apart, also by most who do not see all of them.
const palette = ["#4f46e5", "#e11d48", "#0d9488", "#d97706", "#7c3aed", "#0284c7", "#65a30d", "#db2777", "#64748b", "#a16207"];
const rest = "#9ca3af";

export function mapView(root, ctx) {
  const fields = ctx.info.schema.fields || [];
  const color = h("select", {}, h("option", { value: "" }, "nothing"), fields.map((f) => h("option", { selected: ctx.params.get("color") === f.name }, f.name)));
  const sample = h("select", {}, [200, 500, 1000, 2000].filter((n) => n <= ctx.server.limits.sample).map((n) => h("option", { value: String(n), selected: n === 1000 }, number(n))));
  const canvas = h("canvas", { tabindex: "0", role: "img", "aria-label": "Map of the records. Arrow keys go from point to point, Enter opens the record." });
  const tip = h("div", { class: "tip", hidden: true });
  const legend = h("div", { class: "legend" });
  const about = h("p", { class: "muted small" });
  const failed = h("div");
  let points = [], colors = new Map(), at = -1;

  async function load() {
    failed.replaceChildren();
    about.textContent = "Drawing …";
    try {
      const m = await api.map(ctx.name, { sample: sample.value, ...(color.value ? { color: color.value } : {}) }, ctx.signal);
      points = m.points;
      at = -1;
      const counts = new Map();
      for (const p of points) if (p.color !== undefined) counts.set(p.color, (counts.get(p.color) || 0) + 1);
      const values = [...counts].sort((a, b) => b[1] - a[1]).slice(0, palette.length);
      colors = new Map(values.map(([v], i) => [v, palette[i]]));
      legend.replaceChildren(...values.map(([v, n]) => {
        const dot = h("i");
        dot.style.background = colors.get(v);
        return h("span", {}, dot, `${v} (${number(n)})`);
      }));
      const part = Math.round(100 * (m.explained[0] + m.explained[1]));
      about.textContent = !points.length ? "There are no records to draw." : `${plural(points.length, "point")} of ${plural(m.records, "record")}, drawn at random. The plane shows ${part} % of how the vectors differ.`;
      say(about.textContent);
      draw();
    } catch (err) {
      if (err.name === "AbortError") return;
      about.textContent = "";
      failed.replaceChildren(problem(err));
    }
  }

  // fit says where points are on the canvas, as large as it is now.
  let place = () => [0, 0];
  function fit() {
    const pad = 26, w = canvas.clientWidth - 2 * pad, height = canvas.clientHeight - 2 * pad;
    const xs = points.map((p) => p.x), ys = points.map((p) => p.y);
    const [x0, x1, y0, y1] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    place = (p) => [pad + ((p.x - x0) / (x1 - x0 || 1)) * w, pad + (1 - (p.y - y0) / (y1 - y0 || 1)) * height];
  }

  function draw() {
    fit();
    const scale = devicePixelRatio || 1;
    canvas.width = canvas.clientWidth * scale;
    canvas.height = canvas.clientHeight * scale;
    const g = canvas.getContext("2d");
    g.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    const accent = style.getPropertyValue("--accent"), text = style.getPropertyValue("--text");
    for (const p of points) {
      const [x, y] = place(p);
      g.globalAlpha = .72;
      g.fillStyle = p.color === undefined ? (color.value ? rest : accent) : colors.get(p.color) || rest;
      g.beginPath();
      g.arc(x, y, points.length > 600 ? 3.2 : 4.4, 0, 7);
      g.fill();
    }
    g.globalAlpha = 1;
    if (at >= 0) {
      const [x, y] = place(points[at]);
      g.strokeStyle = text;
      g.lineWidth = 2;
      g.beginPath();
      g.arc(x, y, 8, 0, 7);
      g.stroke();
    }
  }

  function choose(i) {
    at = i;
    draw();
    tip.hidden = i < 0;
    if (i < 0) return;
    const p = points[i], [x, y] = place(p);
    tip.replaceChildren(h("b", { class: "mono" }, p.id), p.color === undefined ? "" : h("div", { class: "muted" }, `${color.value}: ${p.color}`), p.text ? h("div", {}, p.text) : "");
    tip.style.left = `${Math.min(x + 12, canvas.clientWidth - 250)}px`;
    tip.style.top = `${y + 12}px`;
  }

  function nearest(e) {
    const box = canvas.getBoundingClientRect();
    let best = -1, least = 14 ** 2;
    points.forEach((p, i) => {
      const [x, y] = place(p);
      const d = (x - (e.clientX - box.left)) ** 2 + (y - (e.clientY - box.top)) ** 2;
      if (d < least) [best, least] = [i, d];
    });
    return best;
  }

  canvas.addEventListener("mousemove", (e) => { const i = nearest(e); if (i !== at) choose(i); });
  canvas.addEventListener("mouseleave", () => choose(-1));
  canvas.addEventListener("click", (e) => { const i = nearest(e); if (i >= 0) openRecord(ctx, points[i].id); });
  canvas.addEventListener("keydown", (e) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[e.key];
    if (step && points.length) {
      choose((at + step + points.length) % points.length);
      say(points[at].id + " " + (points[at].text || ""));
      e.preventDefault();
    } else if (e.key === "Enter" && at >= 0) openRecord(ctx, points[at].id);
  });
  for (const el of [color, sample]) el.addEventListener("change", load);
  addEventListener("resize", draw, { signal: ctx.signal });
  document.addEventListener("theme", draw, { signal: ctx.signal });

  root.append(h("div", { class: "stack" },
    h("div", { class: "row" }, h("label", { class: "field" }, "Colour by", color), h("label", { class: "field" }, "Points", sample)),
    failed, h("div", { class: "panel" }, h("div", { class: "plane" }, canvas, tip), legend), about));
  load();
}
