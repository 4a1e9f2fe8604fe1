"""Pictures of the guides show the screen and nothing below it."""

from PIL import Image

from tools.pictures import shrink

WHITE, BLUE = (255, 255, 255), (0, 0, 255)


def shrunk(tmp_path, **options):
    taken = Image.new("RGB", (60, 100), WHITE)
    taken.paste(BLUE, (10, 10, 50, 40))
    taken.save(tmp_path / "taken.png")
    shrink(tmp_path / "taken.png", tmp_path / "guide" / "shown.png", **options)
    with Image.open(tmp_path / "guide" / "shown.png") as shown:
        return shown.convert("RGB")


def test_cut_below_the_window_adds_no_rows(tmp_path):
    """PIL crops beyond a picture into black rows."""
    shown = shrunk(tmp_path, bottom=124)
    colors = {color for _count, color in shown.getcolors()}
    assert shown.height < 100
    assert colors == {WHITE, BLUE}


def test_picture_ends_at_its_cut(tmp_path):
    assert shrunk(tmp_path, bottom=30).size == (60, 30)


def test_empty_end_of_a_picture_is_cut_except_a_margin(tmp_path):
    assert shrunk(tmp_path).size == (60, 64)
