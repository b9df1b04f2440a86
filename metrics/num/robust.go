package num

import (
	"math"
	"slices"
)

// Median of xs: the middle value, or the mean of the two middle ones; NaN for none. xs is not changed and must hold no NaN.
func Median(xs []float64) float64 {
	if len(xs) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(xs)
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// madScale makes the median absolute deviation of normally distributed values estimate their standard deviation: 1 / Φ⁻¹(3/4).
const madScale = 1.482602218505602

// ScaledMAD is the median absolute deviation from the median, times 1.4826; NaN for none, 0 when half of the values are equal.
// Source: F. R. Hampel, The influence curve and its role in robust estimation (1974).
func ScaledMAD(xs []float64) float64 {
	center := Median(xs)
	deviations := make([]float64, len(xs))
	for i, x := range xs {
		deviations[i] = math.Abs(x - center)
	}
	return madScale * Median(deviations)
}
