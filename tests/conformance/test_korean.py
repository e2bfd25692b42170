"""Every sentence that the clinic can say on a page, and its Korean words."""

from __future__ import annotations

import ast
import re
from importlib import resources

import pytest

from trainclinic.diagnose.problems.non_finite import NonFinite
from trainclinic.errors import LabError
from trainclinic.lab import finding_words
from trainclinic.lab.experiment import Make
from trainclinic.lab.korean import korean
from trainclinic.lab.page.fields import written
from trainclinic.lab.reason_words import PLACES, UNSEEN
from trainclinic.lab.refusal_words import REFUSALS
from trainclinic.lab.settings import SETTINGS
from trainclinic.lab.told import Found

HANGUL = re.compile("[가-힣]")
RAISED = {"RefusedError": ("treat",), "NotExaminedError": ("diagnose",), "NotLocalizedError": ("measure",)}
FILLED = "X"


def sentences():
    """Every sentence that is raised, with X filled in; those that only pass another one on are left out."""
    for name, places in RAISED.items():
        for place in places:
            for path in sorted(resources.files("trainclinic").joinpath(place).rglob("*.py")):
                for call in ast.walk(ast.parse(path.read_text("utf-8"))):
                    if isinstance(call, ast.Call) and getattr(call.func, "id", "") == name:
                        said = _written(call.args[0])
                        rest = said.removeprefix(f"{FILLED}: ") if name == "RefusedError" else said
                        if re.search("[a-z]{3}", rest):
                            yield pytest.param(rest, id=f"{path.stem}-{call.lineno}")


def _written(argument):
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else FILLED for part in argument.values)
    return FILLED


@pytest.mark.parametrize("said", list(sentences()))
def test_every_refusal_and_every_reason_has_korean_words(said):
    words = korean(said)
    assert HANGUL.search(words)
    assert words.count(FILLED) == said.count(FILLED)


@pytest.mark.parametrize("table", [REFUSALS, UNSEEN, PLACES])
def test_a_korean_sentence_holds_what_the_english_one_fills_in(table):
    for said, words in table.items():
        assert HANGUL.search(words), said
        assert {int(place) for place in re.findall(r"{(\d)}", words)} == set(range(said.count("{}"))), said


def test_a_refusal_names_its_remedy_and_what_is_filled_in_is_said_in_korean_too():
    said = "he-init: it is for ReLU and its kin, and between the layers there is only Sigmoid; glorot-init is for tanh"
    assert korean(said).startswith("He 초기화: ")
    assert "Sigmoid만 있습니다" in korean(said)
    assert "그 뒤로 모델의 모드가 바뀌었습니다" in korean(
        "At step 3 it was seen, but where it began is not localised: the model has changed its mode since."
    )
    assert korean("KeyError: 'x'") == "KeyError: 'x'"


def test_settings_that_do_not_fit_each_other_are_refused_in_korean_too():
    with pytest.raises(LabError) as error:
        Make({"data": "wine", "augmentation": "shift"})(0)
    assert "needs images" in str(error.value)
    assert "데이터 증강: shift에는 이미지" in error.value.korean


def test_the_place_of_a_non_finite_number_stands_before_its_cause():
    because = f"At step 3 (batch 2) `log` in `Linear 1` gave −∞ where it was given 0. {NonFinite.causes['operation']}"
    found = Found("non-finite", "problem", "operation", because, ())
    assert finding_words.because(found, "en") == because
    said = finding_words.because(found, "ko")
    assert said.startswith("3스텝(배치 2): `Linear 1`의 `log`에 0이(가) 들어가 −∞이(가) 나왔습니다. ")
    assert said.endswith(finding_words.CAUSES["non-finite"]["operation"])


def test_a_patience_of_0_is_off():
    patience = SETTINGS["patience"]
    assert [written(patience, 0, language) for language in ("en", "ko")] == ["off", "끔"]
    assert written(patience, 3, "ko") == "3"
    assert written(SETTINGS["seed"], 0, "ko") == "0"
