"""Trust checks as cards."""

import numpy as np
import pytest

from crossplate.evaluate.trust import run_checks
from crossplate.report.trust_cards import CHECK_NAMES, trust_cards, trust_sentence


def check(verdict, name="run_order", **more):
    return {"name": name, "verdict": verdict, "figure": 0.1234, "figure_name": "share of it",
            "threshold": 0.05, "advice": "Look there.", "details": {}} | more  # fmt: skip


def test_the_worst_comes_first_and_what_was_not_made_last():
    cards = trust_cards([check("ok"), check(None, figure=None), check("stop"), check("look")])
    assert [card.verdict for card in cards] == ["stop", "look", "ok", "none"]
    assert [card.word for card in cards] == ["Stop", "Look", "OK", "Not checked"]
    assert cards[0].figure == "Share of it: 0.123 (limit 0.05)"
    assert cards[3].figure == ""
    assert {card.advice for card in cards} == {"Look there."}
    assert trust_cards([check("ok", figure=-2e-16)])[0].figure == "Share of it: 0 (limit 0.05)"
    assert trust_cards(None) == ()


def test_every_check_there_is_has_a_name_of_its_own():
    rng = np.random.default_rng(0)
    found = run_checks(
        batch=["a"] * 20 + ["b"] * 20,
        label=["u", "v"] * 10 + [None] * 20,
        target=np.repeat([False, True], 20),
        z=rng.normal(size=(40, 5)),
    )
    cards = trust_cards([one.to_dict() for one in found])
    assert {one.name for one in found} == set(CHECK_NAMES)
    assert {card.title for card in cards} == set(CHECK_NAMES.values())
    assert all(card.advice.endswith(".") for card in cards)


@pytest.mark.parametrize(
    ("verdicts", "says", "stop"),
    [
        (["ok", "ok", None], "No fault in 2 trust checks that could be made.", False),
        (["ok", "look"], "Of 2 trust checks, 1 asks for a look (run order)", False),
        (["stop", "stop", "look"], "2 say stop (run order, run order) and 1 asks for", True),
    ],
)
def test_one_sentence_counts_them(verdicts, says, stop):
    text, warning = trust_sentence([check(verdict) for verdict in verdicts])
    assert says in text
    assert warning == stop


def test_without_checks_nothing_is_said():
    assert trust_sentence(None) is None
    assert trust_sentence([check(None)]) is None
