"""``benchmarks/run.py`` from beginning to end, with a handful of saves and no other engines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from casesync.testing.benchmark.preparing import Job, prepare_all

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
sys.path.append(str(BENCHMARKS))

from measure import measure  # noqa: E402 - scripts of a folder, not a package
from peers.apart import _merge, _Process  # noqa: E402
from peers.peer import Absent, Produced  # noqa: E402

RATIOS = {
    "merge_memory_vs_fastest_peer",
    "merge_durable_vs_fastest_peer",
    "merge_durable_vs_floor",
    "cost_growth_1e6_vs_1e4",
    "local_write_batched_vs_fastest_peer",
    "local_write_vs_fsync",
    "first_sync_overhead_share",
    "wire_bytes_per_write",
    "first_sync_peak_mb",
}


def test_a_small_run_measures_judges_and_writes_its_results(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--no-peers", "--size", "300"]
    workloads = ["--workload", "form-saves", "--workload", "first-sync"]
    folders = ["--results", str(tmp_path / "results"), "--folder", str(tmp_path)]
    done = subprocess.run(
        [*command, *workloads, *folders, "--runs", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results" / "latest.json").read_text("utf-8"))
    assert set(results["ratios"]) == set(results["verdicts"]) == RATIOS
    measured = {key for key, value in results["ratios"].items() if value is not None}
    without_peers = {key for key in RATIOS if "peer" not in key}
    assert measured == without_peers - {"cost_growth_1e6_vs_1e4"}
    assert results["ratios"]["wire_bytes_per_write"] > 0
    assert set(results["workloads"]) == {"form-saves", "first-sync", "month-away"}
    assert "ratios within this run" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["results"]


def test_several_sizes_of_any_workload_are_a_slope_of_it(tmp_path):
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--no-peers", "--runs", "1"]
    sizes = ["--size", "300", "--size", "200"]
    workloads = ["--workload", "month-away", "--workload", "relay-ingest"]
    folders = ["--results", str(tmp_path / "results"), "--folder", str(tmp_path)]
    done = subprocess.run(
        [*command, *sizes, *workloads, *folders], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "results" / "latest.json").read_text("utf-8"))
    assert set(results["slopes"]["month-away"]) == {"200", "300"}
    assert set(results["relay_ingest"]) == {"200", "300"}


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (["--size", "0"], "'0' is not a whole number of 1 or more"),
        (["--size=-5"], "'-5' is not a whole number"),
        (["--runs", "many"], "'many' is not a whole number"),
        (["--folder", "nowhere"], "'nowhere' is not a folder that can be written to"),
        (["--results", "file"], "file' is not a folder that can be written to"),
        (["--peer", "Loro", "--no-peers"], "not allowed with argument"),
        (["--peer", "Loro", "--size", "300", "--size", "200"], "take one --size"),
    ],
)
def test_what_cannot_be_measured_is_refused_before_anything_is_written(tmp_path, wrong, why):
    (tmp_path / "file").touch()
    command = [sys.executable, str(BENCHMARKS / "run.py"), *wrong]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert why in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_sigterm_stops_the_relay_and_leaves_no_folder(tmp_path):
    options = ["--no-peers", "--workload", "relay-ingest", "--size", "2000000"]
    with subprocess.Popen(
        [sys.executable, str(BENCHMARKS / "run.py"), *options, "--folder", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as run:
        relay = _first_file(tmp_path, "relay.db", run)
        run.terminate()
        _, said = run.communicate()
    assert said == "interrupted: no results were written\n"
    assert run.returncode == 1
    assert not relay.exists()
    assert list(tmp_path.iterdir()) == []


def _first_file(folder: Path, name: str, run: subprocess.Popen[str]) -> Path:
    while run.poll() is None:
        for found in folder.rglob(name):
            return found
    raise AssertionError(run.communicate()[1])


class Dying:
    """An engine whose process is gone after so many merges."""

    ways = ("one by one", "all at once")

    def __init__(self, name: str, merges: int) -> None:
        self.name, self.version, self.left = name, "1", merges

    def produce(self, workload):
        return Produced(1.0, 1)

    def merge(self, way):
        if not self.left:
            raise Absent(f"{self.name} ended without an answer")
        self.left -= 1
        return 1.0

    def close(self):
        pass


def test_an_engine_that_ends_meanwhile_is_named_and_the_others_are_measured(tmp_path):
    job = Job("form-saves", 200, 7)
    prepare_all([job], tmp_path)
    peers = [Dying("early", 0), Dying("late", 3), Dying("steady", 4)]
    found = measure(job.recording(tmp_path), peers, 2, lambda _: None)
    assert found.lost == {
        "early": "early ended without an answer",
        "late": "late ended without an answer",
    }
    assert found.peer_rows() == ["late, one by one", "steady, one by one", "steady, all at once"]
    assert all(len(seconds) == 2 for seconds in found.series.seconds.values())


def test_a_process_that_another_engine_lives_in_says_that_it_is_gone():
    process = _Process("engine", _merge)
    assert process.answer("what cannot merge") is None
    with pytest.raises(Absent, match="engine ended without an answer"):
        process.answer("one by one")
    process.end()
