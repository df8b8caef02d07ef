"""Sound files of every format, small ones: what is harmed by the fuzzer."""

import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

MATRIX = np.array([[1.0, np.nan, 2.5], [0.25, 3.0, -4.0], [1e3, 7.0, np.nan], [2.0, 5.5, 6.0], [0.125, 8.0, 9.0]])
WHOLE = np.nan_to_num(MATRIX).astype(np.int64)

WIDE = b",a,b,c\nu,1,,2.5\nv,0.25,3,-4\nw,1e3,7,NA\nx,2,5.5,6\ny,0.125,8,9\n"
LONG = b"user,movie,rating\nann,up,4\nbob,heat,2.5\nann,heat,3\ncid,up,1\ncid,brazil,5\nbob,brazil,4.5\n"
COORDINATE = (
    b"%%MatrixMarket matrix coordinate real general\n% a comment\n4 3 5\n1 1 1.5\n2 3 -2e3\n3 1 0.25\n4 2 7\n4 3 1\n"
)


@cache
def sound() -> dict[str, bytes]:
    """The files by name."""
    files = _texts() | _arrays() | _tables()
    return {name: content for name, content in files.items() if content}


def _texts() -> dict[str, bytes]:
    wide = WIDE.replace(b",", b";").replace(b".", b",")
    array = b"%%MatrixMarket matrix array real general\n2 3\n1\n2\n3.5\n4e-1\n5\n6\n"
    symmetric = b"%%MatrixMarket matrix coordinate integer symmetric\n3 3 4\n1 1 1\n2 1 2\n3 2 3\n3 3 4\n"
    return {
        "wide.csv": WIDE, "long.csv": LONG, "comma.csv": wide, "wide.tsv": WIDE.replace(b",", b"\t"),
        "long.tsv": LONG.replace(b",", b"\t"), "blanks.txt": b"# one\n1 2 3\n4 5.5 NA\n7 8 9e2\n1 2 4\n",
        "quoted.csv": b'"n","a, b","c"\r\n"x ""y""",1,2\r\nz,3,4\r\n"new\nline",5,6\r\n', "colons.dat": b"1::2::3\n2::2::4\n1::3::5\n2::4::1\n",
        "utf16.csv": WIDE.decode().encode("utf-16"), "long.csv.gz": gzip.compress(LONG, mtime=0),
        "wide.csv.bz2": bz2.compress(WIDE), "wide.tsv.xz": lzma.compress(WIDE.replace(b",", b"\t")),
        "c.mtx": COORDINATE, "a.mtx": array, "s.mtx": symmetric, "c.mtx.gz": gzip.compress(COORDINATE, mtime=0),
        "wide.csv.zst": _zst(WIDE),
    }  # fmt: skip


def _zst(content: bytes) -> bytes:
    from rankscape.files.packing import zstandard

    return zstandard(Path("seed.zst")).compress(content)


def _arrays() -> dict[str, bytes]:
    from scipy import sparse
    from scipy.io import savemat

    matrix = sparse.csr_array(np.nan_to_num(MATRIX))
    return {
        "f8.npy": _written(lambda f: np.save(f, MATRIX)),
        "f4.npy": _written(lambda f: np.save(f, np.asfortranarray(MATRIX.astype("f4")))),
        "i8.npy": _written(lambda f: np.save(f, WHOLE)),
        "big.npy": _written(lambda f: np.save(f, MATRIX.astype(">f8"))),
        "x.npz": _written(lambda f: np.savez(f, X=MATRIX)),
        "two.npz": _written(lambda f: np.savez_compressed(f, matrix=MATRIX, other=np.arange(3))),
        "csr.npz": _written(lambda f: sparse.save_npz(f, matrix)),
        "coo.npz": _written(lambda f: sparse.save_npz(f, matrix.tocoo())),
        "dense.mat": _written(lambda f: savemat(f, {"X": MATRIX, "y": "text"})),
        "packed.mat": _written(lambda f: savemat(f, {"X": MATRIX}, do_compression=True)),
        "sparse.mat": _written(lambda f: savemat(f, {"X": matrix.tocsc()})),
        "old.mat": _written(lambda f: savemat(f, {"X": MATRIX}, format="4")),
        "dense.h5ad": _h5ad(MATRIX), "csr.h5ad": _h5ad(matrix),
    }  # fmt: skip


def _tables() -> dict[str, bytes]:
    import openpyxl
    import pyarrow as pa
    from pyarrow import feather, parquet

    wide = pa.table({"n": ["u", "v", "w", "x", "y"], **{c: MATRIX[:, k] for k, c in enumerate("abc")}})
    long = pa.table({"u": [1, 1, 2, 3], "v": ["a", "b", "a", "b"], "x": pa.array([1.5, 2, None, 4])})
    book = openpyxl.Workbook()
    for row in [["", "a", "b"], ["u", 1.5, 2], ["v", None, 3], ["w", 1e3, -0.25]]:
        book.active.append(row)
    return {
        "book.xlsx": _written(book.save),
        "wide.parquet": _written(lambda f: parquet.write_table(wide, f)),
        "long.parquet": _written(lambda f: parquet.write_table(long, f, compression="zstd")),
        "gzip.parquet": _written(lambda f: parquet.write_table(long, f, compression="gzip", use_dictionary=False)),
        "wide.feather": _written(lambda f: feather.write_feather(wide, f)),
        "long.arrow": _written(lambda f: feather.write_feather(long, f, compression="uncompressed")),
    }


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def _h5ad(matrix) -> bytes:
    import h5py

    def write(file: io.BytesIO) -> None:
        with h5py.File(file, "w") as out:
            if hasattr(matrix, "indptr"):
                group = out.create_group("X")
                group.attrs.update({"encoding-type": "csr_matrix", "shape": matrix.shape})
                for name in ("data", "indices", "indptr"):
                    group[name] = getattr(matrix, name)
            else:
                out["X"] = matrix
            for axis, size in zip(("obs", "var"), matrix.shape, strict=True):
                group = out.create_group(axis)
                group.attrs["_index"] = "_index"
                group.create_dataset("_index", data=[f"n{k}" for k in range(size)], dtype=h5py.string_dtype())

    return _written(write)
