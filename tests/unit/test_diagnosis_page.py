"""What other tools say is counted as it is said to be, and the figures arrive where they are read."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS
from trainclinic.report import rates

pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import diagnosis_peers
from diagnosis_zoo import judging, peers, report
from diagnosis_zoo.faults import faults
from diagnosis_zoo.healthy import healthy
from diagnosis_zoo.runs import Run
from diagnosis_zoo.verified import Verified

DEAD = [Run(fault.name, fault.problem, 0) for fault in faults() if fault.problem == "dead-relu"][:3]
WELL = [Run(plan.name, "", 0) for plan in healthy()[:4]]
SORTED = Verified(healthy=WELL, faulty=DEAD)


def answers():
    """Ours: right, taken for another, silent; a false alarm on one of four."""
    named = {DEAD[0]: ("dead-relu",), DEAD[1]: ("noisy-labels", "dead-relu"), WELL[0]: ("data-leak",)}
    said = {run: named.get(run, ()) for run in (*DEAD, *WELL)}
    return [judging.Answer(run, found[0] if found else "", found, found, ()) for run, found in said.items()]


@pytest.mark.parametrize("tool", diagnosis_peers.PEERS)
def test_what_a_tool_says_may_mean_only_what_there_is(tool):
    meant = {name for names in diagnosis_peers.MEANINGS[tool].values() for name in names}
    assert meant <= set(catalog.entries(PROBLEMS))


def test_any_meaning_may_be_right_and_the_gravest_is_the_first():
    one = peers.read(DEAD[0], "torchmortem", [("Vanishing gradients", 2), ("Loss plateau", 1)])
    assert (one.first, one.among, one.alarm) == (True, True, True)
    later = peers.read(DEAD[0], "torchmortem", [("Rank collapse", 2), ("Dead units", 1)])
    assert (later.first, later.among) == (False, True)
    equal = peers.read(DEAD[0], "torchmortem", [("Rank collapse", 2), ("Dead units", 2)])
    assert equal.first, "no order among equals is held against it"
    wrong = peers.read(DEAD[0], "torchmortem", [("Rank collapse", 2)])
    assert (wrong.first, wrong.among, wrong.alarm) == (False, False, True)


def test_style_and_information_alarm_nobody():
    style = peers.read(WELL[0], "torch-audit", [("TA200", 1), ("TA203", 0)])
    assert (style.findings, style.alarm) == ((), False)
    mere = peers.read(DEAD[0], "torch-audit", [("TA103", 0)])
    assert (mere.first, mere.alarm) == (True, False), "right, though only by the way"


def test_each_is_said_once_at_its_gravest():
    found = [("Loss plateau", 1), ("Dead units", 1), ("Rank collapse", 1), ("Dead units", 2)]
    assert diagnosis_peers.gravest_first(found) == [("Dead units", 2), ("Loss plateau", 1), ("Rank collapse", 1)]


def test_the_row_of_a_tool():
    later = [("Rank collapse", 2), ("Dead units", 1)]
    said = {DEAD[0]: [("Dead units", 1)], DEAD[1]: later, WELL[1]: [("Loss plateau", 1)]}
    theirs = [peers.read(run, "torchmortem", said.get(run, [])) for run in (*DEAD[:2], *WELL)]
    theirs.append(peers.read(DEAD[2], "torchmortem", [], "ValueError: too small"))
    results = compared(torchmortem=theirs)
    for tool in ("trainclinic", "torchmortem"):
        row = results["tools"][tool]
        counts = [(row[key]["yes"], row[key]["runs"]) for key in report.ASKED]
        assert counts == [(1, 3), (2, 3), (1, 4)], tool
        assert results["by problem"]["dead-relu"][tool]["among"]["yes"] == 2
    assert results["tools"]["trainclinic"]["… by chance"] == pytest.approx(1 / 3, abs=1e-4), "all have the same fault"
    assert results["tools"]["trainclinic"]["errors"] == {}
    assert results["tools"]["torchmortem"]["errors"] == {"ValueError: too small": 1}


def compared(**others):
    return peers.compared({"trainclinic": [peers.ours(answer) for answer in answers()], **others}, SORTED)


def test_what_is_kept_is_not_asked_again(tmp_path):
    jobs = peers.missing(tmp_path, DEAD[:1])
    assert [tool for _, _, tool in jobs] == list(diagnosis_peers.PEERS)
    peers.keep(jobs[0], [("Dead units", 1)])
    peers.keep(jobs[1], "RuntimeError: no")
    assert peers.missing(tmp_path, DEAD[:1]) == []
    assert peers.opinion(*jobs[0]).first
    assert peers.opinion(*jobs[1]).error == "RuntimeError: no"


def test_the_page_and_the_rates_hold_the_figures(tmp_path, monkeypatch):
    page = tmp_path / "accuracy.md"
    page.write_text(f"# Before\n\n{report.BEGIN}\nold\n{report.END}\n\n## After\n", encoding="utf-8")
    for name, path in (("PAGE", page), ("PICTURE", tmp_path / "a.svg"), ("RATES", tmp_path / "rates.json")):
        monkeypatch.setattr(report, name, path)
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    ours.write_text(json.dumps(judging.rates(answers(), SORTED, SORTED)))
    report.write(ours, theirs)
    assert "trained again under two other tools" not in page.read_text(encoding="utf-8")
    broken = [peers.read(run, "torchmortem", [], "ValueError: no" if run.problem else "") for run in (*DEAD, *WELL)]
    theirs.write_text(json.dumps(compared(torchmortem=broken)))
    report.write(ours, theirs)
    written = page.read_text(encoding="utf-8")
    assert written.startswith("# Before\n")
    assert written.endswith("\n## After\n")
    assert "old" not in written
    assert "| ≥ 85 % | **33.3 %** |" in written
    assert "| dead-relu | 3 | 33.3 % | 66.7 % | 33.3 % | 0 of 4 |" in written
    assert "dead-relu as noisy-labels (1)" in written
    assert f"| trainclinic {peers.versions(['trainclinic'])['trainclinic']} | 33.3 % (" in written
    assert "Runs that ended with an error, which counts as nothing said: 3 under torchmortem." in written
    report.write(ours, theirs)
    assert page.read_text(encoding="utf-8") == written
    monkeypatch.setattr(rates, "FILE", tmp_path / "rates.json")
    found = rates.rate("dead-relu")
    assert (found.runs, found.first, found.among, found.healthy, found.alarms) == (3, 1, 2, 4, 0)
    assert dict(found.instead) == {"noisy-labels": 1, "": 1}
    assert found.interval[0] <= 1 / 3 <= found.interval[1]
    assert "in 1 of 3 runs" in rates.said("dead-relu")
    assert rates.said("data-leak").startswith("Not measured")
