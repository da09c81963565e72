"""The determinant in the bound of region mutual information, with its gradient.

Zhao, Wang, Yang, Cai: Region Mutual Information Loss for Semantic Segmentation, NeurIPS 2019.
"""

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

RIDGE = 1e-3  # a, added to the diagonal of both covariance matrices


def half_log_determinant(probabilities: Tensor, masks: Tensor, radius: int, dtype: torch.dtype) -> Tensor:
    """Half of log det(Cov(truth | prediction) + a I) for every map of probabilities and masks; a is :data:`RIDGE`.

    Covariances are those of neighbourhoods L of the truth and R of the prediction, as sums over positions. With
    P = R R^T + a I and M = L R^T P^-1 the conditional covariance is E E^T + a M M^T, E = L - M R. M minimises that
    expression (ridge regression), hence its own derivative contributes nothing, and the gradient by R is -M^T S^-1 E
    with S the matrix under the determinant. It is computed with the value, so that one map is kept for the backward
    pass rather than radius^2 of them.

    L enters as D = L - R, with N = M - I = (D R^T - a I) P^-1 and E = D - N R: for confident predictions, where L - M R
    cancels to noise, D and N are small themselves. The covariances need float64 all the same: they are sums over
    thousands of positions, the ridge is a thousandth.

    No matrix of neighbourhoods is made, which would hold every map radius^2 times: see :func:`_rows`.

    Args:
        probabilities: (N, C, H, W) in [0, 1].
        masks: (N, C, H, W), the truth, of the same dtype; it gets no gradient.
        radius: side of the square neighbourhoods, in pixels.
        dtype: of the linear algebra and of the result.

    Returns:
        (N, C) of ``dtype``.
    """
    return _HalfLogDeterminant.apply(probabilities, masks, radius, dtype)


def plain_half_log_determinant(probabilities: Tensor, masks: Tensor, radius: int, dtype: torch.dtype) -> Tensor:
    """:func:`half_log_determinant` as equation 14 of the paper has it, with matrices of neighbourhoods."""
    truth, prediction = (_neighbourhoods(maps.to(dtype), radius) for maps in (masks, probabilities))
    ridge = RIDGE * torch.eye(radius**2, dtype=dtype, device=masks.device)
    cross = truth @ prediction.mT
    conditional = truth @ truth.mT - cross @ torch.linalg.solve(prediction @ prediction.mT + ridge, cross.mT)
    return torch.linalg.slogdet(conditional + ridge).logabsdet / 2


def _neighbourhoods(maps: Tensor, radius: int) -> Tensor:
    """The entries of all neighbourhoods of (N, C, H, W) less their means, (N, C, radius^2, positions)."""
    entries = maps.unfold(2, radius, 1).unfold(3, radius, 1).flatten(4).flatten(2, 3).mT
    return entries - entries.mean(dim=-1, keepdim=True)


class _HalfLogDeterminant(torch.autograd.Function):
    @staticmethod
    def forward(ctx, probabilities: Tensor, masks: Tensor, radius: int, dtype: torch.dtype) -> Tensor:
        size = probabilities.shape[-2] - radius + 1, probabilities.shape[-1] - radius + 1
        rows = _rows(masks - probabilities, probabilities, radius)
        products, means = _covariances(rows.to(dtype), len(probabilities.flatten(0, 1)), size[0])
        difference, cross, prediction = (
            products[:, :, i, :, :, j].flatten(3).flatten(1, 2) for i, j in ((0, 0), (0, 1), (1, 1))
        )

        identity = torch.eye(radius**2, dtype=dtype, device=rows.device)
        factor, _ = torch.linalg.cholesky_ex(prediction + RIDGE * identity)
        correction = torch.cholesky_solve((cross - RIDGE * identity).mT, factor).mT
        regression = correction + identity
        explained = correction @ cross.mT
        covariance = difference - explained - explained.mT + correction @ prediction @ correction.mT
        factor, _ = torch.linalg.cholesky_ex(covariance + RIDGE * (regression @ regression.mT) + RIDGE * identity)

        if ctx.needs_input_grad[0]:
            slope = torch.cholesky_solve(regression, factor).mT
            weights = torch.stack((-slope, slope @ correction), dim=2)  # of D and of R
            ctx.save_for_backward(_gradient(rows, weights, means, size).view_as(probabilities))
        return factor.diagonal(dim1=-2, dim2=-1).log().sum(dim=-1).view(probabilities.shape[:2])

    @staticmethod
    @once_differentiable
    def backward(ctx, outer: Tensor) -> tuple[Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * outer.to(gradient.dtype)[..., None, None], None, None, None


def _rows(difference: Tensor, prediction: Tensor, radius: int) -> Tensor:
    """The rows of all maps, each under its ``radius`` horizontal shifts, so that neighbourhoods are successive rows.

    Args:
        difference, prediction: (N, C, H, W).

    Returns:
        (N C (H + 2 (radius - 1)) + 2 (radius - 1), 2 radius, W - radius + 1): the shifts of D, then those of R; around
        every map there are radius - 1 rows of zeros on either side.
    """
    height, width = difference.shape[-2], difference.shape[-1] - radius + 1
    margin = radius - 1
    count = difference.shape[0] * difference.shape[1] * (height + 2 * margin)
    rows = difference.new_zeros(count + 2 * margin, 2 * radius, width)
    inside = rows[:count].unflatten(0, (*difference.shape[:2], -1))[:, :, margin : margin + height]
    for shift in range(radius):
        inside[..., shift, :] = difference[..., shift : shift + width]
        inside[..., radius + shift, :] = prediction[..., shift : shift + width]
    return rows


def _successive(rows: Tensor, number: int, count: int) -> Tensor:
    """For each of the first ``count`` rows, it and those after it: (count, W, ``number`` 2 radius), a view."""
    return rows.flatten(0, 1).unfold(0, number * rows.shape[1], rows.shape[1])[:count]


def _covariances(rows: Tensor, maps: int, height: int) -> tuple[Tensor, Tensor]:
    """Covariances of all pairs of entries of a neighbourhood, as sums over positions, and the entries' means.

    Args:
        rows: of :func:`_rows`.
        maps: N C.
        height: of positions.

    Returns:
        (N C, radius, 2, radius, radius, 2, radius), an entry being (y, D or R, x), and (N C, radius, 2, radius).
    """
    shifts, width = rows.shape[1:]
    radius = shifts // 2
    margin = radius - 1
    count = len(rows) - 2 * margin
    rows = rows[margin:]
    # of each row with itself and with those below it
    products = torch.bmm(_successive(rows, radius, count).mT, rows[:count].mT).view(maps, -1, radius, shifts, shifts)
    sums = rows[:count].sum(dim=-1).view(maps, -1, shifts)

    second = products.new_empty(maps, radius, shifts, radius, shifts)
    first = sums.new_empty(maps, radius, shifts)
    for upper in range(radius):
        first[:, upper] = sums[:, upper : upper + height].sum(dim=1)
        over_positions = products[:, upper : upper + height].sum(dim=1)
        for lower in range(upper, radius):
            second[:, lower, :, upper] = over_positions[:, lower - upper]
            second[:, upper, :, lower] = over_positions[:, lower - upper].mT
    means = first / (height * width)
    covariances = second - first[:, :, :, None, None] * means[:, None, None]
    return covariances.unflatten(4, (2, radius)).unflatten(2, (2, radius)), means.unflatten(2, (2, radius))


def _gradient(rows: Tensor, weights: Tensor, means: Tensor, size: tuple[int, int]) -> Tensor:
    """Neighbourhoods' entries less their means, times ``weights``, added up where neighbourhoods overlap.

    Args:
        rows: of :func:`_rows`.
        weights: (N C, radius^2, 2, radius^2), of D and R.
        means: (N C, radius, 2, radius).
        size: height and width of positions.

    Returns:
        (N C, H, W) of the dtype of ``rows``.
    """
    maps, radius = means.shape[:2]
    height, width = size
    shifts = 2 * radius
    weights = weights.unflatten(3, (radius, radius)).transpose(2, 3).unflatten(1, (radius, radius))
    offsets = -(weights * means[:, None, None]).flatten(3).sum(dim=3)
    # of the rows from radius - 1 above to radius - 1 below, and of 1, for every vertical place in the neighbourhood
    kernels = weights.new_zeros(maps, radius, radius, (2 * radius - 1) * shifts + 1)
    for y in range(radius):
        first = (radius - 1 - y) * shifts
        kernels[:, y, :, first : first + radius * shifts] = weights[:, y].flatten(2)
    kernels[..., -1] = offsets

    row = torch.arange(height + 3 * (radius - 1), device=rows.device)
    position = row.unsqueeze(1) - torch.arange(radius, device=rows.device)
    exists = ((position >= 0) & (position < height)).to(kernels.dtype)
    kernels = torch.matmul(exists, kernels.flatten(2)).to(rows.dtype).view(maps * len(row), radius, -1)
    around = _successive(rows, 2 * radius - 1, maps * len(row))
    parts = torch.baddbmm(kernels[..., -1:], kernels[..., :-1], around.mT)
    parts = parts.view(maps, len(row), radius, width)[:, : height + radius - 1]

    gradient = rows.new_zeros(maps, height + radius - 1, width + radius - 1)
    for shift in range(radius):
        gradient[..., shift : shift + width] += parts[:, :, shift]
    return gradient
