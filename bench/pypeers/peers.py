"""The engines in C++, behind the requests of package contest.

    python peers.py hnswlib | faiss-hnsw | faiss-flat | usearch | duckdb | symphonyqg | rabitq-hnsw | svs-lvq4x8

Each answers lines of JSON on standard input with lines on standard output; see
protocol.go for what they hold. A batch of queries is one call of the library
where it takes one, so that Python has next to no part in its time; the queries
one by one are timed again beside it, and those times have a Python call each.
"""

import ctypes
import json
import os
import sys
import tempfile
import time

M, EF_CONSTRUCTION = 16, 200


class Skip(Exception):
    """The engine cannot be had; the text says why."""


def need(module):
    try:
        return __import__(module)
    except ImportError as e:
        raise Skip(f"the Python package {module} cannot be imported: {e}")


def read(path, rows, dim):
    numpy = need("numpy")
    if path.endswith(".npy"):
        return numpy.load(path)[:rows].astype(numpy.float32)
    data = numpy.fromfile(path, dtype=numpy.uint8, count=-1 if rows is None else rows * (4 + dim))
    return data.reshape(-1, 4 + dim)[:, 4:].astype(numpy.float32)


class Hnswlib:
    def build(self, base, metric, threads):
        from importlib.metadata import version

        hnswlib = need("hnswlib")
        self.version = version("hnswlib")
        self.index = hnswlib.Index("ip" if metric == "cosine" else metric, base.shape[1])
        self.index.init_index(len(base), M=M, ef_construction=EF_CONSTRUCTION)
        self.index.add_items(base, num_threads=threads)

    def search(self, queries, k, ef, threads):
        self.index.set_ef(ef)
        return self.index.knn_query(queries, k, num_threads=threads)[0]


class Faiss:
    def load(self, index, base, threads):
        self.index, self.version = index, self.faiss.__version__
        self.faiss.omp_set_num_threads(threads)
        self.index.add(base)

    def need(self):
        self.faiss = need("faiss")
        return self.faiss

    def search(self, queries, k, ef, threads):
        self.faiss.omp_set_num_threads(threads)
        self.effort(ef)
        return self.index.search(queries, k)[1]

    def effort(self, ef):
        pass


class FaissHNSW(Faiss):
    def build(self, base, metric, threads):
        index = self.need().IndexHNSWFlat(base.shape[1], M)
        index.hnsw.efConstruction = EF_CONSTRUCTION
        self.load(index, base, threads)

    def effort(self, ef):
        self.index.hnsw.efSearch = ef


class FaissFlat(Faiss):
    def build(self, base, metric, threads):
        faiss = self.need()
        # A batch is answered query by query, as if they came one at a time, and
        # not as one product of matrices.
        faiss.cvar.distance_compute_blas_threshold = 1 << 30
        self.load(faiss.IndexFlatL2(base.shape[1]), base, threads)


class Usearch:
    def build(self, base, metric, threads):
        numpy, usearch = need("numpy"), need("usearch")
        import usearch.index

        self.version = usearch.__version__
        self.index = usearch.index.Index(
            ndim=base.shape[1], metric="l2sq", dtype="f32", connectivity=M, expansion_add=EF_CONSTRUCTION
        )
        self.index.add(numpy.arange(len(base)), base, threads=threads)

    def search(self, queries, k, ef, threads):
        self.index.expansion_search = ef
        if len(queries) == 1:
            return self.index.search(queries[0], k, threads=threads).keys.reshape(1, -1)
        return self.index.search(queries, k, threads=threads).keys


class Rabit:
    def need(self):
        from importlib.metadata import version

        library = need("rabitqlib")
        self.version = version("rabitqlib")
        return library


class SymphonyQG(Rabit):
    def build(self, base, metric, threads):
        self.index = self.need().SymqgIndex(base.shape[1], 2 * M, "l2")
        self.index.build(base, EF_CONSTRUCTION, threads)

    def search(self, queries, k, ef, threads):
        return self.index.search_batch(queries, k, ef, threads)[0]


class RabitHNSW(Rabit):
    def build(self, base, metric, threads):
        library = self.need()
        means = library.RaBitQKMeans(base.shape[1], 16, num_threads=threads)
        means.train(base)
        self.index = library.HnswIndex(base.shape[1], len(base), M, EF_CONSTRUCTION, 8, "l2")
        self.index.build(base, means.centroids, means.assignments, threads)

    def search(self, queries, k, ef, threads):
        return self.index.search(queries, k, ef, threads)[0]


class SVS:
    def build(self, base, metric, threads):
        svs = need("svs")
        self.version = svs.library_version()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "base.fvecs")
            svs.write_vecs(base, path)
            loader = svs.VectorDataLoader(path, svs.DataType.float32, dims=base.shape[1])
            data = svs.LVQLoader(loader, primary=4, residual=8)
            how = svs.VamanaBuildParameters(alpha=1.2, graph_max_degree=2 * M, window_size=EF_CONSTRUCTION)
            self.index = svs.Vamana.build(how, data, svs.DistanceType.L2, num_threads=threads)

    def search(self, queries, k, ef, threads):
        self.index.num_threads = threads
        self.index.search_window_size = max(ef, k)
        return self.index.search(queries, k)[0]


class DuckDB:
    def build(self, base, metric, threads):
        numpy, duckdb = need("numpy"), need("duckdb")
        self.version, self.dim = duckdb.__version__, base.shape[1]
        self.db = duckdb.connect(":memory:", config={"threads": 1})
        # It reads NumPy's arrays of one dimension only: one for each element, then.
        elements = {f"e{i}": numpy.ascontiguousarray(base[:, i]) for i in range(self.dim)}
        columns = {"id": numpy.arange(len(base), dtype=numpy.int32), **elements}
        self.db.execute(f"CREATE TABLE docs AS SELECT id, array_value({', '.join(elements)}) AS vector FROM columns")

    def search(self, queries, k, ef, threads):
        sql = f"SELECT id FROM docs ORDER BY array_distance(vector, $1::FLOAT[{self.dim}]) LIMIT {k}"
        return [[row[0] for row in self.db.execute(sql, [q.tolist()]).fetchall()] for q in queries]


ENGINES = {
    "hnswlib": Hnswlib,
    "faiss-hnsw": FaissHNSW,
    "faiss-flat": FaissFlat,
    "usearch": Usearch,
    "duckdb": DuckDB,
    "symphonyqg": SymphonyQG,
    "rabitq-hnsw": RabitHNSW,
    "svs-lvq4x8": SVS,
}


def affinity(cpus):
    """Keeps every thread of the process on the given CPUs, and reports whether that worked."""
    try:
        for thread in os.listdir("/proc/self/task"):
            os.sched_setaffinity(int(thread), cpus)
        return True
    except (OSError, AttributeError):
        return False


def resident():
    try:
        with open("/proc/self/status") as f:
            return next((int(line.split()[1]) << 10 for line in f if line.startswith("VmRSS:")), 0)
    except OSError:
        return 0


def trim():
    """Gives what a build has freed back to the system, where the C library can."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError):
        pass


class Server:
    def __init__(self, engine):
        self.engine = engine

    def build(self, base, rows, dim, metric, threads, queries, **_):
        if metric not in ("l2", "cosine"):
            raise Skip(f"searches under {metric} are not written for it")
        affinity(range(os.cpu_count()))
        self.queries = read(queries, None, dim)
        vectors = read(base, rows, dim)
        if metric == "cosine":  # of unit vectors, the order is that of distances
            for v in self.queries, vectors:
                v /= need("numpy").linalg.norm(v, axis=1, keepdims=True)
        before = resident()
        start, cpu_start = time.perf_counter(), time.process_time()
        self.engine.build(vectors, metric, threads)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        trim()
        return {
            "seconds": seconds,
            "cpuSeconds": cpu_seconds,
            # Every engine here keeps a copy of the vectors: what is added is what it holds.
            "bytes": resident() - before,
            "version": self.engine.version,
        }

    def search(self, first, count, warm, k, ef, threads, cpu, rows, **_):
        pinned = affinity([cpu] if threads <= 1 else range(os.cpu_count()))
        queries = self.queries[first : first + count]
        if warm:
            self.engine.search(queries[:warm], k, ef, 1)
        each = []
        start, cpu_start = time.perf_counter_ns(), time.process_time_ns()
        found = self.engine.search(queries, k, ef, max(1, threads))
        nanos, cpu_nanos = time.perf_counter_ns() - start, time.process_time_ns() - cpu_start
        if not rows:
            for i in range(count):
                begin = time.perf_counter_ns()
                self.engine.search(queries[i : i + 1], k, ef, 1)
                each.append(time.perf_counter_ns() - begin)
        answers = [[int(row) for row in answer] for answer in found] if rows else None
        return {
            "nanos": nanos,
            "cpuNanos": cpu_nanos,
            "each": each,
            "answers": answers,
            "allocs": -1,
            "pinned": pinned and threads <= 1,
        }

    def answer(self, request):
        try:
            for name in "build", "search":
                if request.get(name):
                    return getattr(self, name)(**request[name])
            return {"error": "a request asks for nothing"}
        except Skip as e:
            return {"skip": str(e)}
        except Exception as e:  # the driver leaves this engine out, and says why
            return {"error": f"{type(e).__name__}: {e}"}


if __name__ == "__main__":
    # Whatever a library prints goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    server = Server(ENGINES[sys.argv[1]]())
    for line in sys.stdin:
        print(json.dumps(server.answer(json.loads(line))), file=answers, flush=True)
