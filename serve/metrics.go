package serve

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// bounds are those of the histogram of how long requests take, in seconds.
var bounds = [...]float64{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10}

// metrics counts requests, for Prometheus. The routes are known from the start, so
// that counting takes no lock but the first time a route has a status.
type metrics struct {
	running atomic.Int64
	routes  map[*route]*routeMetrics
}

type routeMetrics struct {
	codes   sync.Map // how many requests by status: an int to an *atomic.Int64
	buckets [len(bounds) + 1]atomic.Int64
	nanos   atomic.Int64
	bytes   atomic.Int64
}

func newMetrics(all []route) *metrics {
	m := &metrics{routes: map[*route]*routeMetrics{&pageRoute: {}, &unknownRoute: {}}}
	for i := range all {
		m.routes[&all[i]] = &routeMetrics{}
	}
	return m
}

func (m *metrics) begin() { m.running.Add(1) }

func (m *metrics) end(r *route, status int, bytes int64, took time.Duration) {
	m.running.Add(-1)
	to := m.routes[r]
	count, ok := to.codes.Load(status)
	if !ok {
		count, _ = to.codes.LoadOrStore(status, new(atomic.Int64))
	}
	count.(*atomic.Int64).Add(1)
	to.bytes.Add(bytes)
	to.nanos.Add(int64(took))
	place, seconds := 0, took.Seconds()
	for place < len(bounds) && seconds > bounds[place] {
		place++
	}
	to.buckets[place].Add(1)
}

// write writes the metrics as Prometheus reads them.
func (m *metrics) write(w io.Writer, all []route) {
	each := func(do func(r *route, m *routeMetrics)) {
		for i := range all {
			do(&all[i], m.routes[&all[i]])
		}
		do(&pageRoute, m.routes[&pageRoute])
		do(&unknownRoute, m.routes[&unknownRoute])
	}
	fmt.Fprintf(w, "# HELP vecwire_http_requests_running Requests that are being answered.\n# TYPE vecwire_http_requests_running gauge\nvecwire_http_requests_running %d\n", m.running.Load())
	fmt.Fprint(w, "# HELP vecwire_http_requests_total Requests that were answered.\n# TYPE vecwire_http_requests_total counter\n")
	each(func(r *route, m *routeMetrics) {
		for code := 100; code < 600; code++ {
			if n, ok := m.codes.Load(code); ok {
				fmt.Fprintf(w, "vecwire_http_requests_total{operation=%q,code=\"%d\"} %d\n", r.id, code, n.(*atomic.Int64).Load())
			}
		}
	})
	fmt.Fprint(w, "# HELP vecwire_http_response_bytes_total Bytes of the bodies of answers.\n# TYPE vecwire_http_response_bytes_total counter\n")
	each(func(r *route, m *routeMetrics) {
		fmt.Fprintf(w, "vecwire_http_response_bytes_total{operation=%q} %d\n", r.id, m.bytes.Load())
	})
	fmt.Fprint(w, "# HELP vecwire_http_request_seconds How long requests took.\n# TYPE vecwire_http_request_seconds histogram\n")
	each(func(r *route, m *routeMetrics) {
		total := int64(0)
		for i := range m.buckets {
			bound := "+Inf"
			if i < len(bounds) {
				bound = strconv.FormatFloat(bounds[i], 'g', -1, 64)
			}
			total += m.buckets[i].Load()
			fmt.Fprintf(w, "vecwire_http_request_seconds_bucket{operation=%q,le=%q} %d\n", r.id, bound, total)
		}
		fmt.Fprintf(w, "vecwire_http_request_seconds_sum{operation=%q} %g\n", r.id, time.Duration(m.nanos.Load()).Seconds())
		fmt.Fprintf(w, "vecwire_http_request_seconds_count{operation=%q} %d\n", r.id, total)
	})
}

func serveMetrics(c *call) error {
	c.w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	c.w.Header().Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusOK)
	c.metrics.write(c.w, c.routes)
	return nil
}
