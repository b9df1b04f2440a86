// Package num holds the numeric kernels of the rooms: pure functions over plain numbers, in a fixed order of summation, so that
// the same inputs give the same bits. It knows nothing of Canopy. A kernel may panic on a wrong shape (a programmer's mistake,
// "num: …"); whatever data can cause is a result, never a panic.
package num
