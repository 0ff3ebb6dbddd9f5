"""``casesync bench``: measures on any machine, from what is installed alone."""

from __future__ import annotations

import json

import pytest

from casesync_cli.app import run


def test_bench_measures_every_step_and_leaves_nothing_behind(tmp_path, capsys):
    arguments = ["--json", "bench", "--size", "200", "--runs", "1", "--folder", str(tmp_path)]
    assert run(arguments) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["step"] for row in found["steps"]] == [
        "decode", "floor", "memory-alone", "memory", "sqlite", "sqlcipher-alone", "sqlcipher",
    ]  # fmt: skip
    assert all(row["writes_per_second"] > 0 for row in found["steps"])
    assert (found["changes"], found["cells"]) == (20, 200)
    assert found["local"]["fsync_ms"] > 0
    assert list(tmp_path.iterdir()) == []


def test_bench_tells_people_in_their_language(tmp_path, capsys):
    options = ["--workload", "month-away", "--size", "500", "--runs", "1"]
    assert run(["--lang", "vi", "bench", *options, "--folder", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "bền vững trong SQLCipher" in told
    assert "fsync" not in told  # no local writes without forms


def test_bench_measures_what_a_relay_takes_in(tmp_path, capsys):
    options = ["--workload", "relay-ingest", "--size", "400", "--folder", str(tmp_path)]
    assert run(["--json", "bench", *options]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["devices"], found["changes"], found["cells"]) == (16, 80, 400)
    assert found["changes_per_second"] > 0
    assert run(["--lang", "en", "bench", *options]) == 0
    assert "16 devices pushed 80 changes" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("options", [["--size", "0"], ["--workload", "none"], ["--runs", "x"]])
def test_bench_refuses_what_it_cannot_measure(options, capsys):
    assert run(["bench", *options]) == 2
