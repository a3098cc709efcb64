"""The zoo's own nets, for MNIST or for square images of another size."""

import torch.nn.functional as F  # noqa: N812  the name every torch program uses
from torch import Tensor, nn

from core.errors import InputError


class Cnn5(nn.Module):
    """The reference experiment's five-layer CNN for MNIST, 228,010 parameters.

    Input [N, 1, 28, 28], output logits [N, 10]. (The notebook's negative log-likelihood of a
    log-softmax is the cross-entropy of these logits.)

    Raises InputError for images of fewer than 20x20 pixels.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28) -> None:
        super().__init__()
        side = _side("cnn5", image_size, ((image_size - 8) // 2 - 4) // 2)
        self.conv1 = nn.Conv2d(in_channels, 32, 5)
        self.conv2 = nn.Conv2d(32, 32, 5)
        self.drop2 = nn.Dropout(0.5)
        self.conv3 = nn.Conv2d(32, 64, 5)
        self.drop3 = nn.Dropout(0.5)
        self.fc1 = nn.Linear(64 * side**2, 256)
        self.drop4 = nn.Dropout(0.5)
        self.fc2 = nn.Linear(256, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, 10] of normalized images [N, 1, 28, 28]."""
        # In place, because these activations are large and used only once.
        x = F.relu(self.conv1(x), inplace=True)
        x = self.drop2(F.relu(F.max_pool2d(self.conv2(x), 2), inplace=True))
        x = self.drop3(F.relu(F.max_pool2d(self.conv3(x), 2), inplace=True))
        x = self.drop4(F.relu(self.fc1(x.flatten(1))))
        logits: Tensor = self.fc2(x)
        return logits


class LeNet300(nn.Module):
    """LeNet-300-100 of Han et al. (2015), after LeCun et al. (1998): 266,610 parameters.

    Input [N, 1, 28, 28], output logits [N, 10].
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28) -> None:
        super().__init__()
        self.fc1 = nn.Linear(in_channels * image_size**2, 300)
        self.fc2 = nn.Linear(300, 100)
        self.fc3 = nn.Linear(100, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, 10] of normalized images [N, 1, 28, 28]."""
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        logits: Tensor = self.fc3(x)
        return logits


class LeNet5(nn.Module):
    """LeNet-5 of Han et al. (2015), Caffe's variant of LeCun et al. (1998): 431,080 parameters.

    Input [N, 1, 28, 28], output logits [N, 10]. Every layer but the last has a ReLU, because the
    paper's table 4 lists zero activations for each; it follows the pooling, because the table's
    77 % over all layers is the mean over the units after pooling.

    Raises InputError for images of fewer than 16x16 pixels.
    """

    def __init__(self, num_classes: int = 10, in_channels: int = 1, image_size: int = 28) -> None:
        super().__init__()
        side = _side("lenet-5", image_size, ((image_size - 4) // 2 - 4) // 2)
        self.conv1 = nn.Conv2d(in_channels, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        self.fc1 = nn.Linear(50 * side**2, 500)
        self.fc2 = nn.Linear(500, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, 10] of normalized images [N, 1, 28, 28]."""
        x = F.relu(F.max_pool2d(self.conv1(x), 2), inplace=True)
        x = F.relu(F.max_pool2d(self.conv2(x), 2), inplace=True)
        x = F.relu(self.fc1(x.flatten(1)))
        logits: Tensor = self.fc2(x)
        return logits


def _side(name: str, image_size: int, side: int) -> int:
    """The side of the last feature maps; raises InputError if nothing is left of the images."""
    if side < 1:
        raise InputError(
            f"images of {image_size}x{image_size} pixels are too small for {name}: "
            "use a larger --image-size"
        )
    return side
