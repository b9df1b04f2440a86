package kpi

import "testing"

// The benchmark itself works, on few changes; its ratio is looked at by `make bench`, never here.
func TestBenchmarkRuns(t *testing.T) {
	t.Parallel()
	registry, _ := standardTrees(t)
	results, err := Benchmark(t.Context(), BenchConfig{Warehouse: openWarehouse(t), Registry: registry, Changes: 20_000, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Ratio <= 0 || r.Bytes < 1_000 {
			t.Errorf("got %+v", r)
		}
		t.Log(r)
	}
}

func BenchmarkOneWeek(b *testing.B) {
	registry, _ := standardTrees(b)
	results, err := Benchmark(b.Context(), BenchConfig{Warehouse: openWarehouse(b), Registry: registry})
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range results {
		b.Log(r)
		b.ReportMetric(r.Ratio, r.Policy+"-ratio")
	}
}
