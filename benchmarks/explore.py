"""The explorer, measured: start, drags in a browser, many people at once, a live run, a large upload.

``python benchmarks/explore.py`` prints one line for each; needs the extra ``explore``, playwright and a chromium.
"""

import argparse
import concurrent.futures
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
import browsing

SPECTRUM = ", ".join(f"{v:.4f}" for v in np.linspace(5, 0.1, 100))


class Server:
    """A page, its address, and the processor time that its process has taken."""

    def __enter__(self):
        command = [sys.executable, "-m", "rankscape", "explore", "--no-browser"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        found = re.match(r"http://\S+?(?=/\s|/$)", self.process.stderr.readline())
        assert found is not None
        self.address, self.started = found[0], self.cpu()
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)

    def cpu(self) -> float:
        """Seconds."""
        parts = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Megabytes."""
        return browsing.resident(self.process.pid)

    def socket(self):
        """One as the page opens it."""
        return connect(self.address.replace("http", "ws") + "/socket", origin=self.address, max_size=None)  # pyright: ignore


def percentiles(times) -> str:
    """Median and 95th percentile, in milliseconds."""
    return f"median {1e3 * np.median(times):.0f} ms, p95 {1e3 * np.percentile(times, 95):.0f} ms (n = {len(times)})"


DRAG = """
async (moves) => {
  const slider = document.querySelector('input[data-for=alpha]'), root = document.getElementById('room');
  const times = [], seen = new Set();
  const begin = performance.now();
  const asked = new Map();
  const watch = new MutationObserver(() => { const d = root.dataset.drawn; if (seen.has(d)) return; seen.add(d);
    if (asked.has(d)) times.push(performance.now() - asked.get(d)); });
  watch.observe(root, { attributeFilter: ['data-drawn'] });
  for (let k = 0; k < moves; k++) {
    slider.value = -2 + k / moves;
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    asked.set(root.dataset.asked, performance.now());
    await new Promise((done) => setTimeout(done, 16));
  }
  const end = performance.now();
  const painted = times.length;
  await new Promise((done) => setTimeout(done, 600));
  watch.disconnect();
  return { times, painted, seconds: (end - begin) / 1000 };
}
"""


def start(server: Server) -> None:
    """From the command to the first answer."""
    print(f"start to ready: {server.started:.2f} CPU s")


def drag(server: Server) -> None:
    """100 modes, 60,000 steps: from the input to the repaint."""
    with browsing.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{server.address}/climb?steps=60000&eigenvalues={SPECTRUM}")
        while not page.evaluate("(d => d.drawn && d.drawn === d.asked)(document.getElementById('room').dataset)"):
            page.wait_for_timeout(100)
        page.wait_for_timeout(2000)
        page.evaluate(DRAG, 20)
        found = page.evaluate(DRAG, 60)
        times = np.array(found["times"]) / 1e3
        print(f"drag: {percentiles(times)}, {found['painted'] / found['seconds']:.0f} pictures/s of 60 moves")
        print(f"drag: {found['painted']} of 60 inputs painted while dragging")


def many(server: Server, people: int = 20) -> None:
    """Twenty at once, ten moves a second each."""

    def one(k: int) -> list[float]:
        times, rng = [], np.random.default_rng(k)
        with server.socket() as socket:
            for ask in range(1, 51):
                state = {"steps": 60000, "eigenvalues": SPECTRUM, "alpha": str(rng.uniform(0.01, 0.1))}
                began = time.perf_counter()
                socket.send(json.dumps({"ask": ask, "room": "climb", "state": state}))
                while True:
                    data = socket.recv(timeout=30)
                    head = browsing.head_of(data)
                    if head["ask"] == ask and head["kind"] == "curves":
                        break
                times.append(time.perf_counter() - began)
                time.sleep(max(0.0, 0.1 - times[-1]))
        return times

    with concurrent.futures.ThreadPoolExecutor(people) as pool:
        times = [t for found in pool.map(one, range(people)) for t in found]
    print(f"{people} sessions at once: {percentiles(times)}")


def fall(server: Server, seconds: float) -> None:
    """Steps a second of the streamed run over those of the bare engine; growth of memory."""
    import rankscape as rs

    lab = rs.data.gaussian(100, 3, 4.0, 0)
    bare = lambda steps: rs.simulate(
        lab.problem, 3, 10, initialization=rs.Gaussian(0.5), dynamics=rs.SGD(0.05, 1e-4), steps=steps, seed=0
    )
    bare(1000)
    began = time.perf_counter()
    bare(2_000_000)
    engine = 2_000_000 / (time.perf_counter() - began)
    with server.socket() as socket:
        state = {"problem": "random", "n": 100, "rank": 3, "oversampling": 4.0, "width": 10, "pace": 0}
        state |= {"start": "gaussian", "learning_rate": 0.05, "ridge": 1e-4}
        socket.send(json.dumps({"ask": 1, "room": "fall", "state": state}))
        steps, times, memory = [], [], []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            data = socket.recv(timeout=30)
            head = browsing.head_of(data)
            if head["kind"] == "run":
                steps.append(head["facts"]["step"])
                times.append(time.perf_counter())
                memory.append(server.memory())
    late = len(steps) // 3
    streamed = (steps[-1] - steps[late]) / (times[-1] - times[late])
    print(f"fall: {streamed:,.0f} of {engine:,.0f} steps/s, {streamed / engine:.0%}")
    print(f"fall, {seconds:.0f} s: server {memory[late]:.0f} -> {memory[-1]:.0f} MB")


def watch(server: Server, seconds: float) -> None:
    """A live run looked at in a browser: growth of the page's memory, of its process and of the server."""
    with browsing.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{server.address}/fall?pace=0")
        inside, outside = page.context.new_cdp_session(page), browser.new_browser_cdp_session()

        def look() -> tuple[float, float, float]:
            inside.send("HeapProfiler.collectGarbage")
            metrics = {item["name"]: item["value"] for item in inside.send("Performance.getMetrics")["metrics"]}
            processes = outside.send("SystemInfo.getProcessInfo")["processInfo"]
            drawing = sum(browsing.resident(found["id"]) for found in processes)
            return metrics["JSHeapUsedSize"] / 2**20, drawing, server.memory()

        inside.send("Performance.enable")
        page.wait_for_timeout(min(30_000, 250 * seconds))  # until what is there once is there
        first, most, end = look(), (0.0, 0.0, 0.0), time.monotonic() + seconds
        while time.monotonic() < end:
            page.wait_for_timeout(min(10_000, 100 * seconds))
            most = tuple(map(max, most, now := look()))
        step = page.evaluate("document.getElementById('room').dataset.step")
        print(f"watching a run for {seconds:.0f} s, to step {int(step):,}:")
        for name, values in zip(("page", "browser", "server"), zip(first, now, most, strict=True), strict=True):
            print(f"  {name}: {values[0]:.0f} -> {values[1]:.0f} MB, {values[2]:.0f} at the most")


def upload(server: Server) -> None:
    """5 MB of CSV: from the choice of the file to the picture of its holes."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(6000, 100))
    X[rng.random(X.shape) < 0.2] = np.nan
    with tempfile.TemporaryDirectory() as folder, browsing.chromium() as browser:
        path = Path(folder) / "large.csv"
        lines = [",".join("" if np.isnan(v) else f"{v:.6f}" for v in row) for row in X]
        path.write_text("\n".join([",".join(f"c{j}" for j in range(100)), *lines]), encoding="utf-8")
        page = browser.new_page()
        page.goto(f"{server.address}/complete")
        page.wait_for_timeout(1000)
        began = time.perf_counter()
        page.locator("input[type=file]").set_input_files(path)
        while not page.evaluate("Boolean(document.getElementById('room').dataset.read)"):
            page.wait_for_timeout(20)
        print(f"upload of {path.stat().st_size / 1e6:.1f} MB to its holes: {time.perf_counter() - began:.2f} s")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stream", type=float, default=30.0, help="seconds of the live run")
    asked = parser.parse_args()
    with Server() as server:
        start(server)
        time.sleep(2)
        drag(server)
        many(server)
        fall(server, asked.stream)
        watch(server, asked.stream)
        upload(server)


if __name__ == "__main__":
    main()
