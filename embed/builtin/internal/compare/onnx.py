"""Runs a BERT model in onnxruntime, for command compare.

usage: onnx.py MODELDIR. It makes an ONNX graph of the model, quantises it to eight bits, dynamically and by row,
and answers each line of JSON, a list of texts, with a line: the CPU time in milliseconds, and the vectors.
"""
import json, pathlib, sys, tempfile, time
import numpy as np, onnxruntime, tokenizers
from onnx import TensorProto, helper, numpy_helper, save
from onnxruntime.quantization import QuantType, quantize_dynamic

files = pathlib.Path(sys.argv[1])
config = json.loads((files / "config.json").read_text())
raw = (files / "model.safetensors").read_bytes()
start = 8 + int.from_bytes(raw[:8], "little")
weights = {name: np.frombuffer(raw[start + t["data_offsets"][0]:start + t["data_offsets"][1]], "<f4").reshape(t["shape"])
           for name, t in json.loads(raw[8:start]).items() if t.get("dtype") == "F32"}
hidden, heads = config["hidden_size"], config["num_attention_heads"]
nodes, constants = [], []

def constant(value, kind=np.float32):
    constants.append(numpy_helper.from_array(np.ascontiguousarray(value, kind), f"c{len(constants)}"))
    return constants[-1].name

def op(kind, *inputs, **attributes):
    nodes.append(helper.make_node(kind, inputs, [f"n{len(nodes)}"], **attributes))
    return nodes[-1].output[0]

def dense(x, name):
    return op("Add", op("MatMul", x, constant(weights[name + ".weight"].T)), constant(weights[name + ".bias"]))

def norm(x, name):
    w, b = constant(weights[name + ".weight"]), constant(weights[name + ".bias"])
    return op("LayerNormalization", x, w, b, epsilon=config["layer_norm_eps"], axis=-1)

positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][:1]
x = op("Add", op("Gather", constant(weights["embeddings.word_embeddings.weight"]), "ids"), op("Gather", constant(positions), "positions"))
x = norm(x, "embeddings.LayerNorm")
mask = op("Unsqueeze", op("Cast", "mask", to=TensorProto.FLOAT), constant([1, 2], np.int64))
mask = op("Mul", op("Sub", constant(1), mask), constant(-1e9))
split, joined = constant([0, 0, heads, hidden // heads], np.int64), constant([0, 0, hidden], np.int64)
for n in range(config["num_hidden_layers"]):
    layer = f"encoder.layer.{n}."
    q, k, v = (op("Reshape", dense(x, layer + "attention.self." + part), split) for part in ("query", "key", "value"))
    scores = op("MatMul", op("Transpose", q, perm=[0, 2, 1, 3]), op("Transpose", k, perm=[0, 2, 3, 1]))
    scores = op("Softmax", op("Add", op("Div", scores, constant((hidden // heads) ** 0.5)), mask), axis=-1)
    mixed = op("Reshape", op("Transpose", op("MatMul", scores, op("Transpose", v, perm=[0, 2, 1, 3])), perm=[0, 2, 1, 3]), joined)
    x = norm(op("Add", dense(mixed, layer + "attention.output.dense"), x), layer + "attention.output.LayerNorm")
    up = dense(x, layer + "intermediate.dense")
    up = op("Mul", op("Mul", up, op("Add", op("Erf", op("Div", up, constant(2 ** 0.5))), constant(1))), constant(0.5))
    x = norm(op("Add", dense(up, layer + "output.dense"), x), layer + "output.LayerNorm")
inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, shape) for name, shape in
          (("ids", ["texts", "tokens"]), ("mask", ["texts", "tokens"]), ("positions", ["tokens"]))]
output = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["texts", "tokens", hidden])
model = helper.make_model(helper.make_graph(nodes, "bert", inputs, [output], constants), opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
with tempfile.TemporaryDirectory() as folder:
    save(model, folder + "/float.onnx")
    quantize_dynamic(folder + "/float.onnx", folder + "/bytes.onnx", per_channel=True, weight_type=QuantType.QInt8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(folder + "/bytes.onnx", options, providers=["CPUExecutionProvider"])

tokenizer = tokenizers.Tokenizer.from_file(str(files / "tokenizer.json"))
tokenizer.enable_truncation(json.loads((files / "sentence_bert_config.json").read_text())["max_seq_length"])
tokenizer.enable_padding()  # to the longest text of the call

def embed(texts):
    entries = tokenizer.encode_batch(texts)
    ids, mask = (np.array([getattr(e, part) for e in entries], np.int64) for part in ("ids", "attention_mask"))
    rows = session.run(None, {"ids": ids, "mask": mask, "positions": np.arange(ids.shape[1], dtype=np.int64)})[0]
    means = (rows * mask[..., None]).sum(1) / mask.sum(1, keepdims=True)
    return means / np.linalg.norm(means, axis=1, keepdims=True)

for line in sys.stdin:
    texts = json.loads(line)
    begin = time.process_time()
    vectors = embed(texts)
    took = time.process_time() - begin
    print(json.dumps({"ms": 1000 * took, "vectors": vectors.tolist()}), flush=True)
