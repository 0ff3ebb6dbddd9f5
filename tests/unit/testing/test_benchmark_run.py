"""``benchmarks/run.py`` from beginning to end, with a handful of saves and no other engines."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
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
