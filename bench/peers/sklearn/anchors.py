"""The anchors of bench/scenarios/ml.ts: scikit-learn and numpy on one thread, on the files of a folder that is given. Prints one line of JSON."""
import json
import sys
import time

import numpy as np
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
from threadpoolctl import threadpool_limits

folder = sys.argv[1]
given = json.load(open(f"{folder}/given.json"))


def floats(name, shape):
    return np.fromfile(f"{folder}/{name}", dtype=np.float32).reshape(shape)


def timed(work):
    began = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - began) * 1000


def als(users, items, n, m, factors, sweeps, lam, alpha):
    """Y. Hu, Y. Koren, C. Volinsky 2008, solved exactly for each row."""
    order_u, order_i = np.argsort(users, kind="stable"), np.argsort(items, kind="stable")
    cols_u, cols_i = items[order_u], users[order_i]
    start_u = np.concatenate(([0], np.cumsum(np.bincount(users, minlength=n))))
    start_i = np.concatenate(([0], np.cumsum(np.bincount(items, minlength=m))))
    rng = np.random.default_rng(1)
    x, y = (rng.normal(size=(rows, factors)).astype(np.float32) * 0.01 for rows in (n, m))

    def half(own, other, starts, cols):
        gram = other.T @ other + lam * np.eye(factors, dtype=np.float32)
        for row in range(len(own)):
            near = other[cols[starts[row] : starts[row + 1]]]
            own[row] = np.linalg.solve(gram + alpha * near.T @ near, (1 + alpha) * near.sum(axis=0)) if len(near) else 0

    for _ in range(sweeps):
        half(x, y, start_u, cols_u)
        half(y, x, start_i, cols_i)
    return x, y


with threadpool_limits(limits=1):
    k = given["kmeans"]
    points, start = floats("kmeans.f32", (k["n"], k["d"])), floats("start.f32", (k["k"], k["d"]))
    fitted, kmeans_ms = timed(lambda: KMeans(k["k"], init=start, n_init=1, max_iter=k["iterations"], tol=0, algorithm="lloyd").fit(points))
    b = given["dbscan"]
    blobs = floats("dbscan.f32", (b["n"], b["d"]))
    dense, dbscan_ms = timed(lambda: DBSCAN(eps=b["eps"], min_samples=b["minPoints"]).fit(blobs))
    dense.labels_.astype(np.int32).tofile(f"{folder}/dbscan-labels.i32")
    a = given["als"]
    users, items = (np.fromfile(f"{folder}/{name}.i32", dtype=np.int32) for name in ("users", "items"))
    (x, y), als_ms = timed(lambda: als(users, items, a["users"], a["items"], a["factors"], a["sweeps"], a["lambda"], a["alpha"]))
    x.tofile(f"{folder}/x.f32")
    y.tofile(f"{folder}/y.f32")
    digits = load_digits()
    digits.data.astype(np.float32).tofile(f"{folder}/digits.f32")
    digits.target.astype(np.int32).tofile(f"{folder}/digits.i32")
    own = KMeans(10, n_init=10, random_state=1).fit(digits.data)
    print(json.dumps({
        "kmeansMs": kmeans_ms, "inertia": float(fitted.inertia_), "iterations": int(fitted.n_iter_), "dbscanMs": dbscan_ms, "alsMs": als_ms,
        "digits": {"n": len(digits.target), "d": digits.data.shape[1], "ari": adjusted_rand_score(digits.target, own.labels_), "nmi": normalized_mutual_info_score(digits.target, own.labels_)},
    }))
