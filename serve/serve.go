package serve

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/vecwire/vecwire"
)

// New returns a handler that serves a database. It does not close the database:
// close it when the server has ended; see [Run]. A handler of options that
// [Options.Check] refuses answers every request with an error that says so, and the
// Logger is told why.
func New(db *vecwire.DB, o Options) http.Handler {
	if err := o.Check(); err != nil {
		if o.Logger != nil {
			o.Logger.Error("the server is misconfigured and answers nothing", "error", err)
		}
		return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			newProblem(http.StatusInternalServerError, "internal", "the server is misconfigured").write(w, "")
		})
	}
	o.Limits = o.Limits.withDefaults()
	if o.Version == "" {
		o.Version = "dev"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &server{
		db: db, o: o, guard: newGuard(o), handles: newHandles(db, o.Embedders), ids: newRequestIDs(),
		slots: make(chan struct{}, o.Limits.Concurrency), mux: http.NewServeMux(), routes: routes(o.Limits, db.Capabilities()),
	}
	s.metrics = newMetrics(s.routes)
	for i := range s.routes {
		r := &s.routes[i]
		s.mux.Handle(r.method+" "+r.path, &endpoint{s, r})
	}
	if !o.NoPage {
		s.mux.Handle("GET /{$}", &endpoint{s, &pageRoute})
		s.mux.Handle("GET /assets/{file}", &endpoint{s, &pageRoute})
	}
	s.mux.Handle("/", &endpoint{s, &unknownRoute})
	return s
}

// server is the handler.
type server struct {
	db      *vecwire.DB
	o       Options
	guard   *guard
	handles *handles
	ids     *requestIDs
	metrics *metrics
	slots   chan struct{} // one for each request that is answered
	turns   turns
	mux     *http.ServeMux
	routes  []route
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Server returns an HTTP server around a handler, with timeouts that slow clients
// cannot exhaust it by: 10 seconds for the headers of a request, 60 for all of a
// request and for its answer, and two minutes between requests of a connection. The
// streams of [New]'s handler take as long as they make progress, see
// [Limits].Stall. Its ConnContext lets New's handler answer connections in turn. Set its
// Addr, or give it to [Run].
func Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, WriteTimeout: time.Minute,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, ConnContext: withConnection,
	}
}

// Run serves a listener until ctx ends, and then ends gracefully: no new
// connections are taken, /v1/ready says no, and requests that run have the time
// within to end. Those that still run then are cut off, and the error is
// context.DeadlineExceeded. Run returns nil if all ended in time, and the server's
// error if it could not serve. The database can be closed afterwards.
func Run(ctx context.Context, s *http.Server, l net.Listener, within time.Duration) error {
	base, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	ending := make(chan struct{})
	s.BaseContext = func(net.Listener) context.Context { return context.WithValue(base, endingKey{}, ending) }
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	close(ending)
	waiting, stop := context.WithTimeout(context.WithoutCancel(ctx), within)
	defer stop()
	err := s.Shutdown(waiting)
	if err != nil {
		cut() // ends what handlers wait for
		err = errors.Join(err, s.Close())
	}
	if failure := <-failed; !errors.Is(failure, http.ErrServerClosed) {
		err = errors.Join(err, failure)
	}
	return err
}

// endingKey is the context's key of a channel that is closed when [Run] ends.
type endingKey struct{}

// isEnding reports whether the server is about to end.
func isEnding(ctx context.Context) bool {
	ending, _ := ctx.Value(endingKey{}).(chan struct{})
	select {
	case <-ending: // nil without Run, which is never ready
		return true
	default:
		return false
	}
}
