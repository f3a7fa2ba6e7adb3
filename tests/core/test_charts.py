"""Charts: honest axes, exact geometry, a table beside each."""

from decimal import Decimal

import pytest
from django.template import Context, Template
from django.utils.translation import override

from apps.core.charts import Bar, BarChart, LineChart, Series, nice_ceiling

D = Decimal


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [
        ("0", "1"),
        ("-3", "1"),
        ("1", "1"),
        ("7.1", "8"),
        ("98.1", "100"),
        ("101", "150"),
        ("0.23", "0.25"),
        ("4300", "5000"),
    ],
)
def test_axes_end_at_round_numbers(value: str, ceiling: str) -> None:
    assert nice_ceiling(D(value)) == D(ceiling)


def bars(**values: object) -> BarChart:
    return BarChart(
        title="Quote je Schule",
        description="Sortiert nach Abstand zum Ziel.",
        label_header="Schule",
        value_header="Quote",
        bars=[
            Bar("Nordschule", D(50), "50 %", note="unter Ziel", url="/schools/1/"),
            Bar("Süd & West", D(80), "80 %", target=D(100)),
            Bar("Ohne", D(0), "0 %"),
        ],
        **values,  # type: ignore[arg-type]  # the test gives what BarChart takes
    )


def test_bars_start_at_zero_and_share_one_axis() -> None:
    drawn = bars(target=D(60), target_label="Ziel 60 %").drawn()
    assert [row.width for row in drawn] == [D("50.00"), D("80.00"), D("0.00")]
    assert [row.target_x for row in drawn] == [D("60.00"), D("100.00"), D("60.00")]
    assert [row.below for row in drawn] == [True, True, True]
    assert [row.top for row in drawn] == [24, 72, 120]


def test_a_chart_without_target_has_no_target_line() -> None:
    chart = bars()
    assert chart.head == 0
    assert chart.axis_y == 144
    assert chart.height == 168
    assert [row.below for row in chart.drawn()] == [False, True, False]


def test_each_bars_own_target_says_its_value_at_the_end_of_its_mark() -> None:
    chart = BarChart(
        title="Quote je Schulform",
        description="Sortiert nach Abstand zum Ziel.",
        label_header="Schulform",
        value_header="Quote",
        target_word="Ziel",
        bars=[
            Bar("Förderschule", D(90), "90 %", target=D(33), target_text="33,3 %"),
            Bar("Grundschule", D(60), "60 %", target=D(80), target_text="80,0 %"),
            Bar("Ohne Ziel", D(10), "10 %", target_text="kein Ziel"),
        ],
    )
    assert chart.row_height == 72
    drawn = chart.drawn()
    assert [(row.target_text, row.target_anchor) for row in drawn] == [
        ("33,3 %", "start"),
        ("80,0 %", "end"),
        ("", "start"),
    ]
    assert [(row.target_y2, row.target_text_y) for row in drawn] == [(44, 58), (116, 130), (188, 202)]
    with override("de"):
        html = Template("{% load portal %}{% bar_chart chart %}").render(Context({"chart": chart}))
    assert '<text x="33.00%" y="58" class="chart-muted">Ziel 33,3 %</text>' in html
    assert '<text x="80.00%" y="130" class="chart-muted chart-end">Ziel 80,0 %</text>' in html
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert "kein Ziel" not in svg


def test_the_axis_of_bars_is_marked_from_zero_to_its_end() -> None:
    with override("de"):
        marks = [(mark.text, mark.x, mark.anchor) for mark in bars(unit="%").marks()]
    assert marks == [
        ("0\u202f%", D("0.00"), "start"),
        ("50\u202f%", D("50.00"), "middle"),
        ("100\u202f%", D("100.00"), "end"),
    ]


def test_bar_chart_html() -> None:
    with override("de"):
        html = Template("{% load portal %}{% bar_chart chart %}").render(
            Context({"chart": bars(target=D(60), target_label="Ziel 60 %")})
        )
    assert 'width="50.00%"' in html
    assert "Süd &amp; West" in html
    assert '<a class="kern-link" href="/schools/1/">Nordschule</a>' in html
    assert html.count("<title") == html.count("<desc") == 1
    assert "style=" not in html
    assert '<text x="50.00%" y="186" class="chart-muted chart-middle">50</text>' in html
    assert html.count('class="chart-grid"') == 3
    svg = html[html.index("<svg") : html.index("</svg>")]
    assert "<a " not in svg


def line(**values: object) -> LineChart:
    return LineChart(
        title="Verlauf",
        description="Je Monatserster.",
        labels=["01/2026", "02/2026", "03/2026"],
        label_header="Monat",
        series=[Series("Stadt", [D(20), None, D(40)]), Series("Grundschulen", [D(10), D(30), D(50)])],
        **values,  # type: ignore[arg-type]  # the test gives what LineChart takes
    )


def test_lines_leave_gaps_and_end_inside_the_picture() -> None:
    chart = line(unit="%")
    assert chart.top_value == D(50)
    first, second = chart.drawn()
    assert [(point.x, point.y) for point in second.points] == [
        (D("2.00"), D("204.0")),
        (D("50.00"), D("116.0")),
        (D("98.00"), D("28.0")),
    ]
    assert len(first.points) == 2
    assert first.segments == []
    assert len(second.segments) == 2


def test_the_target_counts_for_the_axis_and_lies_at_its_height() -> None:
    chart = line(target=D(80), target_label="Ziel 80 %")
    assert chart.top_value == D(80)
    assert chart.target_y == D("28.0")


def test_the_label_at_the_end_of_the_dashed_line_says_its_value_and_keeps_clear_of_the_course() -> None:
    """The courses end at 40 and at 50 of 50; the target lies above, right below the first, far below both."""
    with override("de"):
        chart = line(unit="%", places=1, targets=[None, D(20), D(20)], target_label="Ziel")
        assert (chart.target_text, chart.target_y, chart.target_text_y) == ("Ziel 20,0\u202f%", D("160.0"), D("154.0"))
        below = line(unit="%", targets=[D(38)] * 3, target_label="Ziel")
        assert below.target_text_y == below.target_y + 16
        assert line(unit="%", targets=[D(20), D(20), None], target_label="Ziel").target_text_y is None
        html = Template("{% load portal %}{% line_chart chart %}").render(Context({"chart": chart}))
    assert '<text x="100%" y="154.0" class="chart-end chart-strong chart-halo">Ziel 20,0\u202f%</text>' in html


def test_the_grid_starts_at_zero() -> None:
    with override("de"):
        assert [(entry.text, entry.y) for entry in line(unit="%").grid()] == [
            ("0\u202f%", D("248.0")),
            ("25\u202f%", D("138.0")),
            ("50\u202f%", D("28.0")),
        ]


@pytest.mark.parametrize(
    ("count", "shown"), [(0, []), (1, [0]), (2, [0, 1]), (5, [0, 1, 2, 3, 4]), (12, [0, 3, 6, 11])]
)
def test_axis_labels_stay_few(count: int, shown: list[int]) -> None:
    chart = LineChart(
        title="t",
        description="d",
        labels=[str(number) for number in range(count)],
        label_header="h",
        series=[Series("s", [D(1)] * count)],
    )
    assert [int(str(label.text)) for label in chart.axis()] == shown
    assert [int(str(label.text)) for label in chart.axis() if label.between] == shown[1:-1:2]


def test_a_target_that_stays_is_one_line_and_a_new_one_begins_another() -> None:
    targets = [None, D(20), D(20), D(20), D(40), D(40)]
    chart = LineChart(
        title="t",
        description="d",
        labels=[str(number) for number in range(6)],
        label_header="h",
        series=[Series("s", [D(10)] * 6)],
        targets=targets,
    )
    assert [(first.x, second.x, first.y == second.y) for first, second in chart.target_segments()] == [
        (D("21.20"), D("59.60"), True),
        (D("59.60"), D("78.80"), False),
        (D("78.80"), D("98.00"), True),
    ]


def test_the_table_says_what_is_missing() -> None:
    with override("en"):
        assert line(unit="%", places=1).rows()[1] == ("02/2026", ["not known", "30.0\u202f%"])


def test_wrong_series_are_refused() -> None:
    with pytest.raises(ValueError, match="one value for each label"):
        LineChart(title="t", description="d", labels=["a"], label_header="h", series=[Series("s", [])])
    with pytest.raises(ValueError, match="at most 4"):
        LineChart(
            title="t", description="d", labels=[], label_header="h", series=[Series(str(n), []) for n in range(5)]
        )


def test_line_chart_html_is_free_of_style_and_localised_coordinates() -> None:
    with override("de"):
        html = Template("{% load portal %}{% line_chart chart %}").render(
            Context({"chart": line(unit="%", target=D(45), target_label="Ziel")})
        )
    assert "style=" not in html
    assert 'x1="50.00%"' in html
    assert "chart-target" in html
    assert html.count('class="portal-legend"') == 1
