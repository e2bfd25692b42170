"""augment-data."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from trainclinic.records import Finding
from trainclinic.setup import Setup
from trainclinic.treat.remedy import Prescription, RefusedError, Remedy, Stage, setting
from trainclinic.treat.surgery import calls, first_batch

LOADER = '''\
class Augmented:
    """The batches of a loader, {what} anew in every epoch."""

    def __init__(self, loader):
        self.loader, self.generator = loader, getattr(loader, "generator", None)

    def __len__(self):
        return len(self.loader)

    def __iter__(self):
        for inputs, targets in self.loader:
{lines}


train_loader = Augmented(train_loader)
'''
NOISE = """\
            yield inputs + {std!r} * torch.randn_like(inputs), targets"""
SHIFT = """\
            height, width = inputs.shape[-2:]
            padded = F.pad(inputs, [{pixels}] * 4, mode="replicate")
            corners = torch.randint(2 * {pixels} + 1, (len(inputs), 2)).tolist()
            moved = [image[:, top:top + height, left:left + width] for image, (top, left) in zip(padded, corners)]
            yield torch.stack(moved), targets"""
MIXUP = """\
            share = float(torch.distributions.Beta({alpha!r}, {alpha!r}).sample())
            order = torch.randperm(len(inputs), device=inputs.device)
{one_hot}            mixed = share * inputs + (1 - share) * inputs[order]
            yield mixed, share * targets + (1 - share) * targets[order]"""
ONE_HOT = """\
            targets = F.one_hot(targets, {classes}).to(inputs.dtype)
"""
AFFINE_HEAD = """\
import os

os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"  # else it asks the network for its latest version
import albumentations
import cv2

move = albumentations.Affine(
    translate_percent=(-{share}, {share}), scale=({small}, {large}), rotate=(-{angle}, {angle}), p=1.0,
    border_mode=cv2.BORDER_REPLICATE,
)
augment = albumentations.Compose([move], seed=int(torch.randint(2**31, ())))


"""
AFFINE = """\
            images = inputs.permute(0, 2, 3, 1).cpu().numpy()
            moved = [torch.from_numpy(augment(image=image)["image"].reshape(image.shape)) for image in images]
            yield torch.stack(moved).permute(0, 3, 1, 2).to(inputs), targets"""


@dataclass(frozen=True)
class AugmentData(Remedy):
    """Show the training samples a little different each time.

    What it does:
        Wraps the training loader; validation data stay as they are. `noise` adds normal noise of `strength` standard
        deviations of the inputs; `shift` moves each image by up to `strength` of its side; `mixup` mixes pairs of
        samples and of their targets, with a share from Beta(strength, strength); `affine` shifts, zooms and turns
        images by up to `strength` (0.1: a tenth, 10 degrees) through Albumentations 2.0.8 (the extra `images`).

    When it helps:
        As many new samples as wanted, if the change does not change the answer. It is next best to more data.

    Side effects:
        The training loss can stay above the validation loss, and learning takes longer. A change that does change the
        answer teaches wrong ones: no large turns for digits, no flips for text. `affine` works image by image on the
        CPU. Both arms of a trial see other batches, and are paired by seed alone.

    References:
        Bishop 1995 (noise); Simard et al. 2003 (shifts); Zhang et al. 2018 (mixup); Buslaev et al. 2020
        (Albumentations).
    """

    kind: str = setting("noise", "1", choices=("noise", "shift", "mixup", "affine"))
    strength: float = setting(0.1, "1", low=0.001, high=2.0)

    treats: ClassVar[dict[str, int]] = {"overfitting": 4, "noisy-labels": 3}
    stage: ClassVar[Stage] = "data"

    @classmethod
    def options(cls, setup: Setup, finding: Finding) -> Iterable[Remedy]:
        """Images are moved, everything else gets noise; mixup fits both."""
        inputs = _inputs(setup)
        if inputs.ndim == 4:
            return [cls("shift", 0.1), cls("affine", 0.1), cls("mixup", 0.4)]
        return [cls("noise", 0.5), cls("mixup", 0.4), cls("noise", 0.2)]

    def prescribe(self, setup: Setup) -> Prescription:
        """The loader that augments, for this Setup's kind of inputs and targets."""
        inputs = _inputs(setup)
        change, what, lines = getattr(self, f"_{self.kind}")(setup, inputs)
        head = AFFINE_HEAD.format(share=self.strength, small=round(1 - self.strength, 4), angle=100 * self.strength,
                                  large=round(1 + self.strength, 4)) if self.kind == "affine" else ""  # fmt: skip
        return Prescription(change, head + LOADER.format(what=what, lines=lines))

    def _noise(self, setup: Setup, inputs: Tensor) -> tuple[str, str, str]:
        std = float(f"{self.strength * float(inputs.std()):.3g}")
        return f"noise of {std:g} on the training inputs", "with noise", NOISE.format(std=std)

    def _shift(self, setup: Setup, inputs: Tensor) -> tuple[str, str, str]:
        self._images(inputs)
        pixels = max(1, round(self.strength * min(inputs.shape[-2:])))
        return f"training images shifted by up to {pixels} pixels", "shifted", SHIFT.format(pixels=pixels)

    def _mixup(self, setup: Setup, inputs: Tensor) -> tuple[str, str, str]:
        targets, one_hot = first_batch(setup)[1], ""
        if not targets.is_floating_point():
            loss = setup.loss_fn
            if not (isinstance(loss, nn.CrossEntropyLoss) or loss is F.cross_entropy) or targets.ndim != 1:
                raise RefusedError(f"{self.id()}: mixup mixes targets, which "
                                   f"{getattr(loss, '__name__', type(loss).__name__)} takes as class indices only; "
                                   "use CrossEntropyLoss")  # fmt: skip
            found = calls(setup)
            answer = next((call for call in found if call.final), found[-1])
            one_hot = ONE_HOT.format(classes=answer.gives[1])
        return (f"mixup with Beta({self.strength:g}, {self.strength:g})", "mixed in pairs",
                MIXUP.format(alpha=self.strength, one_hot=one_hot))  # fmt: skip

    def _affine(self, setup: Setup, inputs: Tensor) -> tuple[str, str, str]:
        self._images(inputs)
        if self.strength >= 1:
            raise RefusedError(f"{self.id()}: expected a strength below 1 for affine, got {self.strength:g}")
        _albumentations(self.id())
        return (f"training images shifted and zoomed by up to {self.strength:.0%}, turned by up to "
                f"{100 * self.strength:g} degrees", "moved", AFFINE)  # fmt: skip

    def _images(self, inputs: Tensor) -> None:
        if inputs.ndim != 4:
            raise RefusedError(f"{self.id()}: {self.kind} needs images (samples, channels, height, width), the inputs "
                               f"have {inputs.ndim} dimensions; noise and mixup fit")  # fmt: skip


def _inputs(setup: Setup) -> Tensor:
    if setup.step is not None:
        raise RefusedError("augment-data: with `step` it is not known what in a batch is the input; augment there")
    inputs = first_batch(setup)[0]
    if not isinstance(inputs, Tensor) or not inputs.is_floating_point():
        raise RefusedError("augment-data: the inputs are no tensor of numbers that could be changed a little; "
                           "dropout fits")  # fmt: skip
    return inputs


def _albumentations(name: str) -> None:
    """Refuse unless the MIT-licensed Albumentations is what would be imported.

    Raises:
        RefusedError: it is not installed, or its AGPL successor, which takes the same module name, is.
    """
    try:
        found = version("albumentationsx")
    except PackageNotFoundError:
        found = ""
    if found:
        raise RefusedError(f"{name}: AlbumentationsX {found} is installed, whose licence (AGPL) asks much of what "
                           "uses it; install trainclinic[images] in its place, or use shift")  # fmt: skip
    if importlib.util.find_spec("albumentations") is None:
        raise RefusedError(f"{name}: affine needs Albumentations; pip install trainclinic[images], or use shift")
