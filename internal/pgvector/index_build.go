package pgvector

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/vecwire/vecwire/internal/engine"
	"github.com/vecwire/vecwire/internal/wire"
)

// repair removes what an interrupted build left, unless it goes on still.
func (c *collection) repair(ctx context.Context, name string) error {
	building, err := c.isBuilding(ctx, name)
	if err != nil {
		return err
	}
	if building {
		return fmt.Errorf("%w: another session is building the index %s", engine.ErrExists, name)
	}
	return c.DropIndex(ctx, name)
}

// isBuilding reports whether a session builds an index, or, on workers, any of the table.
func (c *collection) isBuilding(ctx context.Context, name string) (building bool, err error) {
	if c.place.remote() {
		_, builds, err := c.building(ctx)
		return builds > 0, err
	}
	err = c.read(ctx, func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index
			WHERE index_relid = $1::text::regclass)`, c.beside(name)).Scan(&building)
	})
	return building, err
}

// build makes the index on a connection of its own, whose settings end with it
// and which the queries of the pool do not wait for. It says in left what goes on
// if the connection breaks.
func (c *collection) build(ctx context.Context, name string, key indexKey, predicate string, p engine.IndexPlan, left *orphan) error {
	class, err := c.classSQL(ctx, key, p.Method)
	if err != nil {
		return err
	}
	noted := make(chan *pgconn.Notice, 16)
	conn, err := c.db.alone(ctx, func(n *pgconn.Notice) {
		select {
		case noted <- n:
		default: // more than enough said
		}
	})
	if err != nil {
		return c.db.Failure(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	failure := func(err error) error {
		if conn.IsClosed() {
			err = wire.LostError{Err: err}
		}
		return c.db.Failure(err)
	}
	settings := "SELECT set_config('statement_timeout', '0', false)"
	if p.MemoryBytes > 0 {
		settings += ", " + c.memorySQL(p)
	}
	if p.Workers > 0 {
		settings += fmt.Sprintf(", set_config('max_parallel_maintenance_workers', '%d', false)", min(p.Workers, maxWorkers))
	}
	if _, err := conn.Exec(ctx, settings); err != nil {
		return failure(err)
	}
	column := key.column
	if key.copies {
		column = "(" + column + ")"
	}
	sql := fmt.Sprintf(buildSQL+"%s ON %s USING %s (%s %s)%s%s", quote(name), c.name, p.Method, column, class, withSQL(p), wire.Where(predicate))

	stop := c.watch(ctx, p.Progress)
	_, err = conn.Exec(ctx, sql)
	if conn.IsClosed() {
		*left = orphan{process: conn.PgConn().PID(), index: name}
	}
	stop()
	close(noted)
	for n := range noted {
		c.tell(ctx, n)
	}
	switch {
	case err == nil:
		_, err = conn.Exec(ctx, "ANALYZE "+c.name)
		if err != nil {
			return failure(err)
		}
		return nil
	case isCode(err, "42P07"):
		return fmt.Errorf("%w: another session is building the index %s", engine.ErrExists, name)
	}
	if isCode(err, "42P17") { // invalid_object_definition: a function in it is not immutable
		err = fmt.Errorf("%w: an index of the records where %s by the postgres engine: %w", engine.ErrUnsupported, p.Where, err)
	}
	if conn.IsClosed() && ctx.Err() == nil {
		return failure(err) // and BuildIndex sees what is left
	}
	// What is left behind is invalid and costs every write. If it cannot be
	// removed here, the next BuildIndex does it.
	clean, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if dropped := c.DropIndex(clean, name); dropped != nil && !errors.Is(dropped, engine.ErrNotFound) {
		c.db.Log.WarnContext(ctx, "an invalid index is left: build it again, or drop it", "index", name, "err", dropped)
	}
	return failure(err)
}

// memorySQL sets how much memory a build may take. Processes that build an HNSW index
// together take all of it at once, as shared memory, which can fail, or fill the disk where
// that is a file: so it is no more than records of such a size can need, and half as much again.
func (c *collection) memorySQL(p engine.IndexPlan) string {
	may := fmt.Sprint(min(max(1024, p.MemoryBytes/1024), math.MaxInt32))
	if p.Method == hnsw {
		// pgvector 0.8 takes for each its vector, 16 bytes a link, and some 200 more.
		record := c.schema.Dim*6 + 72*p.M + 512
		may = fmt.Sprintf("least(%s, 65536 + (SELECT count(*) FROM %s) * %d / 1024)", may, c.name, record)
	}
	return fmt.Sprintf("set_config('maintenance_work_mem', (%s)::text || 'kB', false)", may)
}

// tell logs what the server said during a build. The one thing that pgvector has to say
// is that the graph has outgrown its memory.
func (c *collection) tell(ctx context.Context, n *pgconn.Notice) {
	about := []any{"collection", c.schema.Name}
	for _, more := range [][2]string{{"detail", n.Detail}, {"hint", n.Hint}} {
		if more[1] != "" {
			about = append(about, more[0], more[1])
		}
	}
	if n.File == "hnswbuild.c" {
		about = append(about, "advice", "a larger IndexOptions.MemoryBytes makes it faster")
	}
	level := slog.LevelInfo
	if n.File == "hnswbuild.c" || cmp.Or(n.SeverityUnlocalized, n.Severity) == "WARNING" {
		level = slog.LevelWarn
	}
	c.db.Log.Log(ctx, level, "building an index: "+n.Message, about...)
}

// endBuild ends a build that goes on without its client, and waits until it has.
func (c *collection) endBuild(ctx context.Context, o *orphan) error {
	sql, args := c.endBuildSQL(o.process, o.index)
	for {
		var running bool
		err := c.db.Read(ctx, func(conn *pgx.Conn) error {
			return conn.QueryRow(ctx, sql, args...).Scan(&running)
		})
		if err != nil || !running {
			return err
		}
		timer := time.NewTimer(outcomePause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		case <-timer.C:
		}
	}
}

// alone connects outside the pool, in the way the pool does.
func (e *database) alone(ctx context.Context, notice func(*pgconn.Notice)) (*pgx.Conn, error) {
	cfg := e.Pool.Config()
	c := cfg.ConnConfig.Copy()
	c.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) { notice(n) }
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, c); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, c)
}

// watch reports how far the building of an index is, until stop is called.
func (c *collection) watch(ctx context.Context, report func(engine.IndexProgress)) (stop func()) {
	if report == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			p, builds, err := c.building(ctx)
			if err == nil && builds > 0 && ctx.Err() == nil {
				report(p)
			}
		}
	}()
	return func() { cancel(); <-done }
}
