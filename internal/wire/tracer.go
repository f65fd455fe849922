package wire

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/multitracer"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/vecwire/vecwire/internal/fault"
)

// tracer is a caller's tracer, which may panic: what it was to be told is lost then.
// The pool's goroutines call it, too, and a panic in one of those would end the process;
// elsewhere it would keep a connection for ever.
type tracer struct{ inner *multitracer.Tracer }

func newTracer(t pgx.QueryTracer) tracer { return tracer{multitracer.New(t)} }

// start calls what returns a context, and returns ctx if that panics.
func start(ctx context.Context, f func() context.Context) context.Context {
	_ = fault.Guard("the Tracer", func() error {
		if next := f(); next != nil {
			ctx = next
		}
		return nil
	})
	return ctx
}

func tell(f func()) {
	_ = fault.Guard("the Tracer", func() error {
		f()
		return nil
	})
}

func (t tracer) TraceQueryStart(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TraceQueryStart(ctx, c, d) })
}

func (t tracer) TraceQueryEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceQueryEndData) {
	tell(func() { t.inner.TraceQueryEnd(ctx, c, d) })
}

func (t tracer) TraceBatchStart(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TraceBatchStart(ctx, c, d) })
}

func (t tracer) TraceBatchQuery(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchQueryData) {
	tell(func() { t.inner.TraceBatchQuery(ctx, c, d) })
}

func (t tracer) TraceBatchEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceBatchEndData) {
	tell(func() { t.inner.TraceBatchEnd(ctx, c, d) })
}

func (t tracer) TraceCopyFromStart(ctx context.Context, c *pgx.Conn, d pgx.TraceCopyFromStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TraceCopyFromStart(ctx, c, d) })
}

func (t tracer) TraceCopyFromEnd(ctx context.Context, c *pgx.Conn, d pgx.TraceCopyFromEndData) {
	tell(func() { t.inner.TraceCopyFromEnd(ctx, c, d) })
}

func (t tracer) TracePrepareStart(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TracePrepareStart(ctx, c, d) })
}

func (t tracer) TracePrepareEnd(ctx context.Context, c *pgx.Conn, d pgx.TracePrepareEndData) {
	tell(func() { t.inner.TracePrepareEnd(ctx, c, d) })
}

func (t tracer) TraceConnectStart(ctx context.Context, d pgx.TraceConnectStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TraceConnectStart(ctx, d) })
}

func (t tracer) TraceConnectEnd(ctx context.Context, d pgx.TraceConnectEndData) {
	tell(func() { t.inner.TraceConnectEnd(ctx, d) })
}

func (t tracer) TraceAcquireStart(ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireStartData) context.Context {
	return start(ctx, func() context.Context { return t.inner.TraceAcquireStart(ctx, p, d) })
}

func (t tracer) TraceAcquireEnd(ctx context.Context, p *pgxpool.Pool, d pgxpool.TraceAcquireEndData) {
	tell(func() { t.inner.TraceAcquireEnd(ctx, p, d) })
}

func (t tracer) TraceRelease(p *pgxpool.Pool, d pgxpool.TraceReleaseData) {
	tell(func() { t.inner.TraceRelease(p, d) })
}
