package httpd

import (
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the numbers of one process, in a registry of its own. No label holds an id or an address (security I9).
type Metrics struct {
	registry           *prometheus.Registry
	requests           *prometheus.CounterVec
	seconds            *prometheus.HistogramVec
	refusals           *prometheus.CounterVec
	connections        prometheus.Gauge
	refusedConnections *prometheus.CounterVec
	panics             prometheus.Counter
	issuers            *prometheus.GaugeVec
	observed           sync.Map // *series by observed
}

// NewMetrics returns metrics that start from zero, with those of the Go runtime and the process.
func NewMetrics() *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idpool_requests_total", Help: "Calls, by what became of them.",
		}, []string{"service", "operation", "outcome"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "idpool_request_seconds", Help: "Time of calls, from the whole request to the whole answer.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"service", "operation"}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idpool_http_refusals_total", Help: "Requests that were refused before they were calls, by HTTP status.",
		}, []string{"status"}),
		connections: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "idpool_http_connections", Help: "Connections that are open.",
		}),
		refusedConnections: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "idpool_http_refused_connections_total",
			Help: "Connections closed unserved: at the limit of all, at that of one client, or in the TLS handshake.",
		}, []string{"reason"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "idpool_http_panics_total", Help: "Requests that ended in a panic, which is a bug.",
		}),
		issuers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "idpool_oidc_issuers",
			Help: "OpenID Connect issuers by how their keys stand: fresh; stale, which are used since newer ones cannot be had; missing; or loading.",
		}, []string{"keys"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, m.refusals, m.connections, m.refusedConnections, m.panics, m.issuers,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Observe counts a call of an operation and the time that it took. Outcome is "ok" or the name of an error. All three must
// come from fixed sets, never from a request; what does not look like a name is counted as "other".
func (m *Metrics) Observe(service, operation, outcome string, d time.Duration) {
	call := observed{label(service), label(operation), label(outcome)}
	found, ok := m.observed.Load(call)
	if !ok {
		found, _ = m.observed.LoadOrStore(call, &series{
			m.requests.WithLabelValues(call.service, call.operation, call.outcome), m.seconds.WithLabelValues(call.service, call.operation),
		})
	}
	of := found.(*series)
	of.requests.Inc()
	of.seconds.Observe(d.Seconds())
}

// observed names series, and series are they, so that they need not be looked up by their labels each time. There are as
// many as there are labels.
type observed struct{ service, operation, outcome string }

type series struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

// Issuers notes how many OpenID Connect issuers' keys are in which state.
func (m *Metrics) Issuers(fresh, stale, missing, loading int) {
	for state, n := range map[string]int{"fresh": fresh, "stale": stale, "missing": missing, "loading": loading} {
		m.issuers.WithLabelValues(state).Set(float64(n))
	}
}

// label is the second wall behind the callers' fixed sets: no value that carries an id fits.
func label(value string) string {
	if value == "" || len(value) > 64 {
		return "other"
	}
	for i := range len(value) {
		c := value[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && c != '.' && c != '-' && c != '_' {
			return "other"
		}
	}
	return value
}

// handler serves GET /metrics and nothing else.
func (m *Metrics) handler() http.Handler {
	serve := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", serve)
	return mux
}
