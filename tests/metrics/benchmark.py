"""The benchmarks' score, written from its definition to compare ours with."""

import numpy as np


def benchmark_miou(truths, predictions, scored):
    """Mean IoU from its definition, over the pixels whose true value is scored and the classes that occur there."""
    truth = np.concatenate([one.ravel() for one in truths])
    predicted = np.concatenate([one.ravel() for one in predictions])
    counts = np.isin(truth, scored)
    ious = []
    for value in scored:
        is_true, is_predicted = counts & (truth == value), counts & (predicted == value)
        union = np.count_nonzero(is_true | is_predicted)
        if union:
            ious.append(np.count_nonzero(is_true & is_predicted) / union)
    return np.mean(ious)
