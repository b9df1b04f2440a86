package dashboards

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"canopy/models"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// telemetry keeps Canopy's own figures in a registry of its own.
type telemetry struct {
	registry  *prometheus.Registry
	durations *prometheus.HistogramVec
}

func newTelemetry(parts Parts) *telemetry {
	t := &telemetry{
		registry: prometheus.NewRegistry(),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "canopy_http_request_seconds", Help: "Time to answer a request, by route.",
			Buckets: []float64{.0005, .001, .002, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"method", "route", "status"}),
	}
	t.registry.MustRegister(t.durations, &states{parts: parts}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return t
}

// methods bounds the label: a client may send any word.
var methods = map[string]bool{
	http.MethodGet: true, http.MethodHead: true, http.MethodPost: true, http.MethodPatch: true, http.MethodPut: true, http.MethodDelete: true, http.MethodOptions: true,
}

func (t *telemetry) request(method, route string, status int, took time.Duration) {
	if !methods[method] {
		method = "other"
	}
	t.durations.WithLabelValues(method, route, strconv.Itoa(status)).Observe(took.Seconds())
}

func (t *telemetry) handler() http.Handler {
	return promhttp.HandlerFor(t.registry, promhttp.HandlerOpts{Registry: t.registry})
}

// states asks the parts at each scrape how they are.
type states struct{ parts Parts }

var (
	relayPosition = prometheus.NewDesc("canopy_relay_position", "Last change that stands in the warehouse.", nil, nil)
	relayHead     = prometheus.NewDesc("canopy_relay_head", "Last change of the log.", nil, nil)
	relayLag      = prometheus.NewDesc("canopy_relay_lag_seconds", "Age of the oldest change that is still to come.", nil, nil)
	relayFailing  = prometheus.NewDesc("canopy_relay_failing", "1 while the last try ended with an error.", nil, nil)
	importCount   = prometheus.NewDesc("canopy_imports", "The latest 500 imports by state.", []string{"state"}, nil)
	partReady     = prometheus.NewDesc("canopy_ready", "1 where a part answers.", []string{"part"}, nil)
)

// Describe names the figures.
func (s *states) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{relayPosition, relayHead, relayLag, relayFailing, importCount, partReady} {
		out <- d
	}
}

// Collect asks. What does not answer is left out, or 0 where that is the answer.
func (s *states) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), checkTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if s.parts.Relay != nil {
		status := s.parts.Relay.Status(ctx)
		gauge(relayPosition, float64(status.Position))
		gauge(relayHead, float64(status.Head))
		gauge(relayLag, status.LagSeconds)
		gauge(relayFailing, float64(one(status.State == models.RelayRetrying)))
	}
	if s.parts.Imports != nil {
		s.collectImports(ctx, gauge)
	}
	for _, check := range s.parts.Checks {
		gauge(partReady, float64(one(check.Ready(ctx) == nil)), check.Name)
	}
}

// collectImports counts the latest imports by state.
func (s *states) collectImports(ctx context.Context, gauge func(*prometheus.Desc, float64, ...string)) {
	list, err := s.parts.Imports.List(ctx, models.System(), maxCounted)
	if err != nil {
		return
	}
	counts := map[models.ImportState]int{}
	for i := range list {
		counts[list[i].State]++
	}
	for _, state := range importStates {
		gauge(importCount, float64(counts[state]), string(state))
	}
}

// maxCounted is how many imports are counted at most: the latest.
const maxCounted = 500

var importStates = []models.ImportState{
	models.ImportWaiting, models.ImportRunning, models.ImportDone, models.ImportCancelled, models.ImportFailed, models.ImportUndoing, models.ImportUndone,
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}
