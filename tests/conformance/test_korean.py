"""Every sentence that the clinic can say on a page, and its Korean words."""

from __future__ import annotations

import ast
import re
from importlib import resources

import pytest

from trainclinic.lab.korean import korean
from trainclinic.lab.reason_words import PLACES, UNSEEN
from trainclinic.lab.refusal_words import REFUSALS

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
