"""The figures and plays of the chapter on data augmentation."""

from __future__ import annotations

import importlib
import importlib.util
import os
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from trainclinic.lab import augmentation, digit_images
from trainclinic.lab.chapter import Table
from trainclinic.lab.controls import Value, Values
from trainclinic.lab.experiment import Make
from trainclinic.lab.settings import AUGMENTATIONS
from trainclinic.lab.words import Words, same
from trainclinic.measure.run import build
from trainclinic.setup import train

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, RED = "#2563eb", "#dc2626"
SEEDS = (0, 1, 2)
SHIFTS = tuple((right, down) for right in (-1, 0, 1) for down in (-1, 0, 1) if (right, down) != (0, 0))

SETTINGS: dict[str, Value] = {
    "samples": 100, "depth": 3, "width": 256, "batch_size": 32, "epochs": 100, "augmentation": "none",
}  # fmt: skip


# -- the photograph


def has_albumentations() -> bool:
    """Whether the MIT-licensed Albumentations is what `import albumentations` would give."""
    try:
        version("albumentationsx")  # its AGPL successor takes the same module name
    except PackageNotFoundError:
        return importlib.util.find_spec("albumentations") is not None
    return False


def _by_albumentations(photo: Any) -> dict[str, Any]:
    os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else it asks the network for its latest version
    library: Any = importlib.import_module("albumentations")
    height, width = photo.shape[:2]
    transforms = (
        library.HorizontalFlip(p=1),
        library.RandomResizedCrop(size=(height, width), scale=(0.3, 0.5), p=1),
        library.Affine(rotate=(12, 20), p=1),
        library.Perspective(scale=(0.1, 0.15), p=1),
        library.ElasticTransform(alpha=150, sigma=8, p=1),
        library.RandomBrightnessContrast(brightness_limit=(0.2, 0.3), contrast_limit=(0.2, 0.3), p=1),
        library.HueSaturationValue(hue_shift_limit=(30, 40), p=1),
        library.ToGray(p=1),
        library.GaussNoise(std_range=(0.15, 0.2), p=1),
        library.GaussianBlur(sigma_limit=(2, 3), p=1),
        library.CoarseDropout(num_holes_range=(6, 10), hole_height_range=(0.1, 0.2), hole_width_range=(0.1, 0.2), p=1),
    )
    return {type(one).__name__: library.Compose([one], seed=0)(image=photo)["image"] for one in transforms}


def _by_numpy(photo: Any) -> dict[str, Any]:
    height, width = photo.shape[:2]
    moved = augmentation.shift(photo.transpose(2, 0, 1), width // 5, height // 8).transpose(1, 2, 0)
    noisy = augmentation.noise(photo, 40.0, np.random.default_rng(0))
    return {
        "flip": photo[:, ::-1],
        "shift": moved.astype(np.uint8),
        "brightness": np.clip(photo * 1.4, 0, 255).astype(np.uint8),
        "noise": np.clip(noisy, 0, 255).astype(np.uint8),
        "crop": photo[height // 5 : -height // 5, width // 5 : -width // 5],
    }


PLAIN = {  # what NumPy alone does; Albumentations' transforms are named as in that library
    "original": Words("original", "원본"),
    "flip": Words("flip", "좌우 뒤집기"),
    "shift": Words("shift", "이동"),
    "brightness": Words("brightness", "밝기"),
    "noise": Words("noise", "잡음"),
    "crop": Words("crop", "자르기"),
}


def grid(language: str) -> Figure:
    """A real photograph and what becomes of it, by Albumentations where it is installed, else by NumPy."""
    from matplotlib.figure import Figure
    from sklearn.datasets import load_sample_image

    photo = load_sample_image("china.jpg")[::2, ::2]  # half the size is as good on a page
    made = has_albumentations()
    images = {"original": photo} | (_by_albumentations(photo) if made else _by_numpy(photo))
    columns = 4 if made else 3
    figure = Figure(figsize=(3 * columns, 2.3 * len(images) / columns), layout="constrained")
    figure.suptitle(_grid_title(made)[language])
    for axes, (name, image) in zip(figure.subplots(len(images) // columns, columns).flat, images.items(), strict=True):
        axes.imshow(image)
        axes.set_title(PLAIN[name][language] if name in PLAIN else name, fontsize=10)
        axes.axis("off")
    return figure


def _grid_title(made: bool) -> Words:
    if made:
        used = version("albumentations")
        return Words(f"china.jpg through Albumentations {used}", f"Albumentations {used}으로 바꾼 china.jpg")
    return Words(
        "china.jpg through NumPy alone (Albumentations is not installed)",
        "NumPy만으로 바꾼 china.jpg (Albumentations가 설치되어 있지 않음)",
    )


def grid_caption() -> Words:
    """Says which of the two the grid is made by."""
    if has_albumentations():
        return Words("A real photograph through transforms of Albumentations, drawn by that library",
                     "실제 사진에 Albumentations 변환을 적용한 모습 (해당 라이브러리로 생성)")  # fmt: skip
    return Words(
        "A real photograph through five transforms in NumPy alone: Albumentations is not installed "
        "(pip install trainclinic[images])",
        "실제 사진에 NumPy만으로 다섯 가지 변환을 적용한 모습: Albumentations가 설치되어 있지 않습니다 "
        "(pip install trainclinic[images])",
    )


# -- the effect


@cache
def measured() -> dict[str, tuple[tuple[float, ...], tuple[float, ...]]]:
    """Kind → accuracy on the validation images as they are, and moved by one pixel; one figure a seed."""
    found: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {}
    for kind in AUGMENTATIONS:
        pairs = [_accuracies(kind, seed) for seed in SEEDS]
        found[kind] = tuple(one for one, _ in pairs), tuple(other for _, other in pairs)
    return found


def _accuracies(kind: str, seed: int) -> tuple[float, float]:
    setup = build(Make({**SETTINGS, "augmentation": kind}), seed)
    train(setup)
    setup.model.eval()
    inputs, targets = next(iter(setup.val_loader or ()))

    def right(images: Any) -> float:
        with torch.no_grad():
            return float(
                (setup.model(torch.as_tensor(images, dtype=torch.float32)).argmax(1) == targets).float().mean()
            )

    moved = [right(augmentation.shift(inputs.numpy(), *by)) for by in SHIFTS]
    return right(inputs), sum(moved) / len(moved)


def effect(language: str) -> Figure:
    """Accuracy after each kind of augmentation, on the validation images as they are and moved by a pixel."""
    from matplotlib.figure import Figure

    results = measured()
    figure = Figure(figsize=(10, 4.5), layout="constrained")
    panels = figure.subplots(1, 2, sharey=True)
    titles = (Words("Validation images as they are", "검증 이미지 그대로"),
              Words("Validation images moved by one pixel", "한 픽셀 옮긴 검증 이미지"))  # fmt: skip
    xlabel = Words("augmentation of the training images", "훈련 이미지의 증강")
    for which, (axes, title, colour) in enumerate(zip(panels, titles, (BLUE, RED), strict=True)):
        for place, kind in enumerate(results):
            seeds = results[kind][which]
            mean = sum(seeds) / len(seeds)
            axes.bar(place, mean, color=colour, alpha=0.35)
            axes.plot([place] * len(seeds), seeds, "o", color=colour, markersize=5)
            axes.annotate(f"{mean:.3f}", (place, mean / 2), ha="center")
        axes.set_xticks(range(len(results)), [AUGMENTATIONS[kind][language] for kind in results])
        axes.set(title=title[language], xlabel=xlabel[language], ylim=(0, 1))
        axes.grid(axis="y", alpha=0.4)
    panels[0].set_ylabel(Words("accuracy (bars: mean, dots: seeds)", "정확도 (막대: 평균, 점: 시드)")[language])
    return figure


# -- the plays


def _pictures(images: dict[str, Any], colours: str = "Greys") -> dict[str, Any]:
    """Images of 8×8 pixels beside each other, as one Plotly figure."""
    data, count = [], len(images)
    layout: dict[str, Any] = {"height": 320, "margin": {"l": 10, "r": 10, "t": 30, "b": 10}, "annotations": []}
    for place, (title, image) in enumerate(images.items()):
        number = "" if place == 0 else str(place + 1)
        start, end = place / count, (place + 0.92) / count
        data.append({"type": "heatmap", "z": np.round(image, 2).tolist(), "colorscale": colours, "zmin": 0, "zmax": 16,
                     "showscale": False, "xaxis": f"x{number}", "yaxis": f"y{number}"})  # fmt: skip
        layout[f"xaxis{number}"] = {"visible": False, "domain": [start, end], "anchor": f"y{number}",
                                    "constrain": "domain"}  # fmt: skip
        layout[f"yaxis{number}"] = {"visible": False, "autorange": "reversed", "scaleanchor": f"x{number}",
                                    "anchor": f"x{number}", "constrain": "domain"}  # fmt: skip
        layout["annotations"].append({"text": title, "x": (start + end) / 2, "y": 1.06, "xref": "paper",
                                      "yref": "paper", "showarrow": False})  # fmt: skip
    return {"data": data, "layout": layout}


def _verdict(digit: int, image: Any, language: str) -> Table:
    seen = digit_images.nearest(image)
    kept = (Words("it survives", "유지됩니다") if seen == digit else Words("it does not", "유지되지 않습니다"))[
        language
    ]
    return Table(
        (Words("label in the data", "데이터의 레이블"), Words("nearest class mean", "가장 가까운 클래스 평균"),
         Words("the label", "레이블")),
        ((str(digit), str(seen), kept),),
    )  # fmt: skip


def show_rotation(given: Values, language: str) -> list[Table | dict[str, Any]]:
    """A digit before and after the turn, and whether its label survives."""
    digit = int(given["digit"])
    before = digit_images.DIGITS[digit]
    after = augmentation.rotate(before, cast(float, given["angle"]))
    titles = (Words("before", "변환 전")[language], Words("turned", "회전 후")[language])
    return [_pictures(dict(zip(titles, (before, after), strict=True))), _verdict(digit, after, language)]


def show_pixels(given: Values, language: str) -> list[Table | dict[str, Any]]:
    """A digit moved, with noise, and whether its label survives."""
    digit = int(given["digit"])
    before = digit_images.DIGITS[digit]
    moved = augmentation.shift(before, cast(int, given["right"]), cast(int, given["down"]))
    after = augmentation.noise(moved, cast(float, given["std"]), np.random.default_rng(cast(int, given["seed"])))
    titles = (Words("before", "변환 전")[language], Words("after", "변환 후")[language])
    return [_pictures(dict(zip(titles, (before, after), strict=True))), _verdict(digit, after, language)]


def show_mixup(given: Values, language: str) -> list[Table | dict[str, Any]]:
    """Two digits, their mixture, and its soft label."""
    first, second, share = int(given["digit"]), int(given["other"]), cast(float, given["share"])
    one, other = digit_images.DIGITS[first], digit_images.DIGITS[second]
    labels = augmentation.one_hot([first, second], 10)
    soft = augmentation.mix(labels[0], labels[1], share)
    titles = (f"x₁ ({first})", f"x₂ ({second})", f"{share:.2f} x₁ + {1 - share:.2f} x₂")
    mixed = augmentation.mix(one, other, share)
    classes = Table(
        (Words("class", "클래스"), *(same(str(label)) for label in range(10))),
        ((Words("its share of the label", "레이블의 몫")[language], *(f"{part:.2f}" for part in soft)),),
    )
    return [_pictures(dict(zip(titles, (one, other, mixed), strict=True))), classes]
