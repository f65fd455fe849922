// The operations of the server. The token is kept for this tab only.

const key = "vecwire-token";

export const token = {
  get: () => sessionStorage.getItem(key) || "",
  set: (t) => (t ? sessionStorage.setItem(key, t) : sessionStorage.removeItem(key)),
};

// Failure is a problem as the server tells it.
export class Failure extends Error {
  constructor(p, status) {
    super(p.detail || p.title || `The server answered ${status}`);
    this.type = p.type || "";
    this.status = status;
    this.details = (p.errors || []).map((e) => {
      const at = e.parameter ? `parameter ${e.parameter}` : e.pointer || "the value";
      return e.detail ? `${at}: ${e.detail}` : `${at} is ${e.got}, want ${e.want}`;
    });
  }
}

async function send(method, path, body, type, signal) {
  const headers = {};
  if (token.get()) headers.Authorization = "Bearer " + token.get();
  if (body !== undefined) headers["Content-Type"] = type;
  let r;
  try {
    r = await fetch("v1/" + path, { method, headers, body, signal });
  } catch (err) {
    if (err.name === "AbortError") throw err;
    throw new Failure({ title: "The server cannot be reached" }, 0);
  }
  if (!r.ok) {
    const p = await r.json().catch(() => ({}));
    throw new Failure(p, r.status);
  }
  return r;
}

// exact reads JSON whose whole numbers may be larger than a number of JavaScript:
// those are kept as text.
export function exact(text) {
  return JSON.parse(text, (k, v, context) =>
    typeof v === "number" && Number.isInteger(v) && !Number.isSafeInteger(v) && context && /^-?\d+$/.test(context.source) ? context.source : v);
}

const read = async (r) => (r.status === 204 ? null : exact(await r.text()));
const at = (name, rest = "") => "collections/" + encodeURIComponent(name) + rest;
const json = (method, path, body, signal) => send(method, path, body === undefined ? undefined : JSON.stringify(body), "application/json", signal).then(read);

export const api = {
  server: () => json("GET", "server"),
  collections: () => json("GET", "collections").then((r) => r.collections),
  collection: (name) => json("GET", at(name)),
  create: (schema) => json("POST", "collections", schema),
  drop: (name) => json("DELETE", at(name)),
  search: (name, query, signal) => json("POST", at(name, "/search"), query, signal),
  searchMany: (name, queries, signal) => json("POST", at(name, "/search-many"), { queries }, signal),
  get: (name, id) => json("POST", at(name, "/get"), { ids: [id] }).then((r) => r.records[0]),
  remove: (name, id) => json("POST", at(name, "/delete"), { ids: [id] }),
  count: (name, filter) => json("POST", at(name, "/count"), filter ? { filter } : {}).then((r) => r.count),
  recall: (name, body, signal) => json("POST", at(name, "/recall"), body, signal),
  buildIndex: (name) => json("POST", at(name, "/indexes"), {}),
  map: (name, params, signal) => json("GET", at(name, "/map?" + new URLSearchParams(params)), undefined, signal),
  async page(name, params, signal) {
    const r = await send("GET", at(name, "/records?" + new URLSearchParams(params)), undefined, "", signal);
    const after = r.headers.get("Vecwire-After");
    return { records: (await r.text()).split("\n").filter(Boolean).map(exact), after: after === null ? null : decodeURIComponent(after.replaceAll("+", " ")) };
  },
  facets: (name, body) => json("POST", at(name, "/facets"), body).then((r) => r.values),
  async store(name, lines) {
    const r = await send("POST", at(name, "/records?results=failed"), lines, "application/x-ndjson");
    return (await r.text()).split("\n").filter(Boolean).map(exact);
  },
};
