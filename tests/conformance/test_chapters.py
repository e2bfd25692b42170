"""Every chapter of the lab, whichever files are there."""

from __future__ import annotations

import inspect
import re
from dataclasses import fields, is_dataclass
from io import BytesIO

import pytest

from trainclinic import catalog
from trainclinic.diagnose.diagnose import PROBLEMS as RULES
from trainclinic.lab import clinic_words, finding_words, settings
from trainclinic.lab.chapter import Chapter, Table, chapters
from trainclinic.lab.controls import defaults
from trainclinic.lab.experiment import Make
from trainclinic.lab.labels import LABELS
from trainclinic.lab.lettering import hangul
from trainclinic.lab.words import Words
from trainclinic.treat.operation import REMEDIES, remedies

ALL = chapters()
HANGUL = re.compile("[가-힣]")


def words(value):
    """Every Words within a value."""
    if isinstance(value, Words):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from words(getattr(value, field.name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from words(one)
    elif isinstance(value, tuple | list):
        for one in value:
            yield from words(one)


def chapter_words(chapter):
    for name in ("title", "lead", "text", "experiment", "tries"):
        yield from words(getattr(chapter, name))


def test_the_chapters_are_numbered_in_the_lectures_order():
    assert [chapter.number for chapter in ALL.values()] == list(range(1, len(ALL) + 1))
    assert all(issubclass(chapter, Chapter) for chapter in ALL.values())


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_said_in_one_language_alone(name):
    found = list(chapter_words(ALL[name]))
    assert len(found) > 20
    for one in found:
        assert bool(one.en.strip()) == bool(one.ko.strip()), one
        if one.en != one.ko and len(one.en) > 12:
            assert HANGUL.search(one.ko), one
            assert not HANGUL.search(one.en), one
        assert one.en.count("$") % 2 == 0, one
        assert one.ko.count("$") % 2 == 0, one


def test_the_page_and_the_clinic_speak_both_languages():
    everything = [*words(LABELS), *words(list(settings.SETTINGS.values())), *words(clinic_words.PROBLEMS),
                  *words(clinic_words.REMEDIES), *words(clinic_words.SIGNALS), *words(finding_words.DOSED)]  # fmt: skip
    for one in everything:
        assert bool(one.en) == bool(one.ko), one
    for placeholder in (label for label in LABELS.values() if "{" in label.en):
        assert set(re.findall(r"{\w+}", placeholder.en)) == set(re.findall(r"{\w+}", placeholder.ko))


def test_every_problem_and_remedy_of_the_clinic_has_words_here():
    assert clinic_words.PROBLEMS.keys() == catalog.entries(RULES).keys()
    assert clinic_words.REMEDIES.keys() == catalog.entries(REMEDIES).keys()


@pytest.mark.parametrize(("name", "rule"), catalog.entries(RULES).items())
def test_every_cause_and_every_measure_of_a_problem_has_korean_words(name, rule):
    assert finding_words.CAUSES[name].keys() == rule.causes.keys()
    assert rule.measures.keys() <= finding_words.MEASURES.keys()
    known = finding_words.MEASURES.keys() | clinic_words.SIGNALS.keys()
    assert {
        signal for signal in re.findall(r'Evidence\(\s*"(\w+)"', inspect.getsource(inspect.getmodule(rule)))
    } <= known
    assert all(HANGUL.search(said) for said in finding_words.CAUSES[name].values())


def test_every_setting_of_a_remedy_has_words():
    kinds = remedies().values()
    assert {setting.name for kind in kinds for setting in kind.settings()} == finding_words.DOSED.keys()


@pytest.mark.parametrize("name", ALL)
def test_the_experiment_and_what_to_try_can_be_set(name):
    chapter = ALL[name]
    assert set(chapter.experiment.shown) <= settings.SETTINGS.keys()
    assert set(chapter.experiment.signals) <= clinic_words.SIGNALS.keys()
    assert 3 <= len(chapter.tries) <= 6
    second = [{**one.settings, **one.then} for one in chapter.tries]
    for one in ({}, *(one.settings for one in chapter.tries), *second):
        Make({**chapter.experiment.settings, **one})


@pytest.mark.parametrize("name", ALL)
def test_every_play_answers_in_both_languages_wherever_its_controls_stand(name):
    for play in ALL[name].plays().values():
        begun = defaults(play.controls)
        at = [begun]
        for control in play.controls:
            ends = control.choices or (
                (False, True) if isinstance(control.default, bool) else (control.low, control.high)
            )
            at += [{**begun, control.name: control.read(end)} for end in ends]
        for values in at:
            shown = {language: play.show(dict(values), language) for language in ("en", "ko")}
            assert shown["en"]
            assert [type(one) for one in shown["en"]] == [type(one) for one in shown["ko"]]
            for one in shown["en"]:
                if isinstance(one, Table):
                    assert one.rows
                    assert all(len(row) == len(one.header) for row in one.rows)
                else:
                    assert one["data"]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize(("name", "drawing"), [(name, one) for name in ALL for one in ALL[name].drawings()])
def test_every_figure_is_drawn(name, drawing, language):
    figure = ALL[name].drawings()[drawing].draw(language)
    assert figure.axes
    assert any(axes.has_data() for axes in figure.axes)
    figure.savefig(BytesIO(), format="svg")  # a letter that no font has would be a warning
    written = " ".join(text.get_text() for text in figure.findobj(pytest.importorskip("matplotlib.text").Text))
    symbols = drawing == "baseline"  # its axes are x and y, as in the lecture
    assert bool(HANGUL.search(written)) == (language == "ko" and hangul() is not None and not symbols)
