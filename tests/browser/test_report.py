"""The report in a real browser, opened from the disk with the network off."""

import pytest

# Live charts of the full report: scores of two levels, ROC, calibration, shuffles, distance,
# telling the batch, variance, five losses, two maps of samples and the box plots.
N_CHARTS = 4 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 5 + 2 + 1


@pytest.fixture
def full(open_page, report):
    return open_page(report("full"))


@pytest.fixture
def tables(open_page, report):
    return open_page(report("tables"))


def colours(opened, when="before"):
    return opened.run(
        "when => [...document.querySelector(`[data-when=${when}]`).data[0].marker.color]", when
    )


def test_the_report_opens_and_draws_everything(open_page, report):
    page = open_page(report("full"), whole=True).page
    assert page.locator(".result p").first.inner_text().startswith("Batch plate2, 120 subjects")
    assert "Expected accuracy" not in page.locator(".result").inner_text()
    assert "(0.82–0.91)" in page.locator(".result p").first.inner_text()
    assert page.locator(".js-plotly-plot").count() == N_CHARTS
    assert page.locator(".js-plotly-plot .main-svg").count() >= N_CHARTS
    assert page.locator(".card").count() == 4
    assert page.locator(".card .verdict").all_inner_texts() == ["Stop", "Look", "OK", "Not checked"]
    links = page.locator("nav a").all_inner_texts()
    assert links[:3] == ["Result", "Can it be trusted?", "Scores"]
    # A drawing on the screen would stand beside its chart.
    assert not any(still.is_visible() for still in page.locator(".still").all())


def test_samples_change_colour_and_are_found(full):
    page = full.page
    seen = {}
    for name in ("Batch", "Known label", "Call", "Subject", "Confidence"):
        page.get_by_role("button", name=name, exact=True).first.click()
        seen[name] = tuple(colours(full))
        assert colours(full, "after") == list(seen[name])
    assert len(set(seen.values())) == 5
    assert len(set(seen["Batch"])) == 2
    assert len(set(seen["Confidence"])) > 20
    group = page.get_by_role("group", name="Colour by")
    assert group.locator("[aria-pressed=true]").all_inner_texts() == ["Confidence"]
    page.get_by_label("Find a sample or subject in the picture").fill("S17")
    opacity = "[...document.querySelector('[data-when=after]').data[0].marker.opacity]"
    bright = [value for value in full.run(opacity) if value == 1]
    assert len(bright) == 1 + 10  # S17 and S170 to S179
    page.get_by_role("group", name="Map").get_by_role("button", name="PCA").click()
    axis = full.run("document.querySelector('[data-when=before]').layout.xaxis.title.text")
    assert axis.startswith("component 1")


def test_a_group_of_the_legend_can_be_hidden(full):
    legend = full.page.locator("#embedding .live .legend button")
    opacity = "[...document.querySelector('[data-when=before]').data[0].marker.opacity]"
    assert 0 not in full.run(opacity)
    legend.first.click()
    assert full.run(opacity).count(0) == 240
    assert legend.first.get_attribute("aria-pressed") == "false"


def test_points_tell_their_sample(full):
    area = full.page.locator("[data-when=before]")
    area.scroll_into_view_if_needed()
    place = full.run(
        """() => { const area = document.querySelector('[data-when=before]');
        const point = area.querySelector('.point').getBoundingClientRect();
        return [point.x + point.width / 2, point.y + point.height / 2]; }"""
    )
    full.page.mouse.move(*place)
    told = full.page.locator("[data-when=before] .hoverlayer").text_content()
    assert "Batch: plate" in told
    assert "Subject: " in told


def rows(page, table):
    return page.locator(f"[data-table={table}] tbody tr")


def test_tables_sort_by_any_column(tables):
    page = tables.page
    head = page.locator("[data-table=calls] thead th").filter(has_text="p(SLE)")
    column = "[data-table=calls] tbody td:nth-child(5)"
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "descending"
    falling = [float(text) for text in page.locator(column).all_inner_texts()]
    assert falling == sorted(falling, reverse=True)
    head.get_by_role("button").click()
    assert head.get_attribute("aria-sort") == "ascending"
    rising = [float(text) for text in page.locator(column).all_inner_texts()]
    assert rising == sorted(rising)
    assert rising[0] < falling[0]
    assert page.locator("[data-table=calls] [aria-sort]").count() == 1


def test_tables_filter_search_and_show_more(tables):
    page = tables.page
    box = page.locator(".searched").filter(has=page.locator("[data-table=samples]"))
    status = box.get_by_role("status")
    assert status.inner_text() == "240 rows"
    assert rows(page, "samples").count() == 100
    box.get_by_role("button", name="Show more").click()
    assert rows(page, "samples").count() == 240
    box.get_by_label("called").select_option("called: not called")
    n = rows(page, "samples").count()
    assert 0 < n < 240
    assert status.inner_text() == f"{n} of 240 rows"
    box.get_by_label("called").select_option("called: all")
    box.get_by_role("searchbox").fill("s12 p")
    assert rows(page, "samples").count() == 11  # S12 and S120 to S129
    box.get_by_role("searchbox").fill("no such sample")
    assert status.inner_text() == "0 of 240 rows"


def test_live_cells_read_as_the_static_ones(tables, open_page, report):
    static = open_page(report("tables"), java_script_enabled=False).page
    for table in ("calls", "biomarkers", "attribution"):
        written = rows(static, table).all_inner_texts()[:60]
        assert rows(tables.page, table).all_inner_texts()[: len(written)] == written


def test_a_feature_is_drawn_when_its_row_is_chosen(tables):
    page = tables.page
    title = page.locator("#boxes [role=status]")
    assert title.inner_text() == "mz 0 by batch and label"
    box = page.locator(".searched").filter(has=page.locator("[data-table=biomarkers]"))
    box.get_by_label("Candidate").select_option("Candidate: yes")
    assert rows(page, "biomarkers").count() == 3
    box.get_by_label("Candidate").select_option("Candidate: all")
    box.get_by_role("searchbox").fill("mz 17")
    page.get_by_role("button", name="mz 17").first.click()
    assert title.inner_text() == "mz 17 by batch and label"
    assert tables.run("document.querySelector('#boxes .js-plotly-plot').data.length") == 2


def test_a_phone_needs_no_sideways_scrolling(open_page, report):
    opened = open_page(report("full"), width=360, height=740, has_touch=True, whole=True)
    assert opened.run("document.documentElement.scrollWidth") <= 360
    widths = opened.run(
        "[...document.querySelectorAll('.js-plotly-plot')].map(one => one.offsetWidth)"
    )
    assert min(widths) > 250
    assert max(widths) <= 360


def ground(opened):
    return opened.run("getComputedStyle(document.body).backgroundColor")


def test_dark_follows_the_system_and_the_button(open_page, report):
    opened = open_page(report("full"), color_scheme="dark", whole=True)
    dark = ground(opened)
    ink = "document.querySelector('[data-when=before]').layout.font.color"
    assert opened.run(ink) == "#e4e7eb"
    opened.page.get_by_role("button", name="Switch between light and dark").click()
    assert ground(opened) == "rgb(255, 255, 255)" != dark
    assert opened.run(ink) == "#1d2126"
    opened.page.get_by_role("button", name="Switch between light and dark").click()
    assert ground(opened) == dark


def test_paper_gets_every_section_on_white(open_page, report, tmp_path):
    opened = open_page(report("full"), color_scheme="dark", width=700, whole=True)
    sections = opened.page.locator("main h2").all_inner_texts()
    opened.page.emulate_media(media="print")
    assert ground(opened) == "rgb(255, 255, 255)"
    for heading in sections:
        assert opened.page.get_by_role("heading", name=heading, exact=True).is_visible()
    assert opened.page.locator("svg.plot").first.is_visible()
    assert not any(chart.is_visible() for chart in opened.page.locator(".js-plotly-plot").all())
    assert not opened.page.locator(".tools").first.is_visible()
    written = opened.page.pdf(path=tmp_path / "report.pdf", format="A4")
    assert written.startswith(b"%PDF")
    assert 5 < written.count(b"/Type /Page\n") < 30


def test_names_of_the_user_are_only_text(open_page, report):
    opened = open_page(report("evil"), whole=True)
    page = opened.page
    assert page.locator(".js-plotly-plot").count() == N_CHARTS
    assert page.locator("main script, main img, main b b, main i").count() == 0
    assert rows(page, "biomarkers").first.inner_text().startswith("<script>alert(3)</script> %{x}")
    assert rows(page, "samples").first.inner_text().startswith("\"'<i>&amp;0")
    page.get_by_role("button", name="Known label", exact=True).click()
    legend = page.locator("#embedding .live .legend").inner_text()
    assert "<script>alert(1)</script>" in legend
    hover = opened.run("document.querySelector('[data-when=after]').data[0].hovertext.join()")
    assert "&lt;script&gt;" in hover
    assert "<script" not in hover
    ticks = page.locator("#boxes .xtick").all_text_contents()
    assert '"><img src=x onerror=al…' in ticks
    # The first box has no outliers, and all are drawn all the same.
    assert page.locator("#boxes .boxlayer path.box").count() == 4


def test_everything_is_reached_by_keyboard(tables):
    page = tables.page
    focused = "document.activeElement.id || document.activeElement.textContent"
    page.keyboard.press("Tab")
    assert tables.run(focused) == "theme"
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tables.run(outline) == "solid"
    page.keyboard.press("Enter")
    assert ground(tables) != "rgb(255, 255, 255)"
    page.get_by_role("button", name="mz 1", exact=True).first.focus()
    page.keyboard.press("Enter")
    assert page.locator("#boxes [role=status]").inner_text() == "mz 1 by batch and label"
    unreachable = (
        "[...document.querySelectorAll('button, input, select')].filter(e => e.tabIndex < 0)"
    )
    assert tables.run(f"{unreachable}.length") == 0


def test_without_scripts_text_tables_and_drawings_are_there(open_page, report):
    page = open_page(report("full"), java_script_enabled=False, whole=True).page
    assert rows(page, "calls").count() == 120
    assert page.locator("svg.plot").count() > 15
    assert all(still.is_visible() for still in page.locator(".panels.still").all())
    assert not page.locator("#theme").is_visible()


def test_a_report_of_calls_alone(open_page, report):
    page = open_page(report("bare"), whole=True).page
    assert rows(page, "calls").count() == 60
    assert page.locator("nav a").all_inner_texts() == [
        "Result",
        "Calls",
        "Notices",
        "Settings and versions",
        "How to cite",
    ]
