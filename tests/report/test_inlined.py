"""What stands inside script elements of a page."""

import json
from base64 import b64encode
from hashlib import sha256

import pytest
from markupsafe import Markup

from crossplate.report.inlined import json_for_script, page_policy, script_file

# Of plotly.js-cartesian-dist-min 4.1.1, as the npm registry has it.
HASH = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"


@pytest.mark.parametrize(
    "value",
    [
        "</script><!-- & \u2028\u2029 'x' \"y\"",
        {"<a>": ["&lt;", None, True, 1, 0.25, "Ж"]},
        ("tuple", 3),
    ],
)
def test_data_cannot_end_its_element_and_reads_as_it_was(value):
    text = json_for_script(value)
    assert isinstance(text, Markup)
    assert not set(text) & set("<>&\u2028\u2029")
    assert json.loads(text) == json.loads(json.dumps(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_without_a_name_in_json_are_null(value):
    assert json.loads(json_for_script({"x": [value, 1.0]})) == {"x": [None, 1.0]}


def test_shipped_scripts_can_stand_in_a_page():
    plotly = script_file("vendor", "plotly-cartesian.min.js")
    assert "Licensed under the MIT license" in plotly[:300]
    # The file as it was published, with nothing changed in it.
    assert sha256(plotly.encode()).hexdigest() == HASH
    for name in ("theme", "tables", "charts", "embedding", "biomarkers", "report"):
        script = script_file("templates", f"{name}.js")
        # Texts become elements in one way only, which never reads them as markup.
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in script


def test_policy_lets_these_scripts_run_and_nothing_load():
    policy = page_policy(["a", "b"])
    hashes = [b64encode(sha256(one).digest()).decode() for one in (b"a", b"b")]
    assert f"script-src 'sha256-{hashes[0]}' 'sha256-{hashes[1]}';" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src 'none'" in page_policy([])
