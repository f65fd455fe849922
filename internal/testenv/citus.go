package testenv

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"
)

// citusVariable names a cluster of Citus: the URL of its coordinator, as superuser, and
// after commas the host:port of each worker.
const citusVariable = "VECWIRE_TEST_CITUS"

// IsCitus reports whether Citus starts from a real cluster, and not from a stand-in.
func IsCitus() bool { return os.Getenv(citusVariable) != "" }

// Citus returns the URL of a new, empty database with the extension citus, on the cluster
// that VECWIRE_TEST_CITUS names: on its coordinator and all its workers. No registry of
// packages has Citus. So without the variable it is a database of the shared PostgreSQL
// with a stand-in, a schema at the end of the search_path that has those functions and
// tables of Citus which vecwire asks: what is distributed there is on this server all the
// same, and refuses nothing that Citus would.
func Citus(t testing.TB) string {
	t.Helper()
	if given := os.Getenv(citusVariable); given != "" {
		return realCitus(t, given)
	}
	u, err := url.Parse(SharedPostgres(t).CreateDatabase(t, citusStandIn))
	if err != nil {
		t.Fatal("the shared PostgreSQL has no URL")
	}
	q := u.Query()
	q.Set("search_path", "public,citus_standin")
	u.RawQuery = q.Encode()
	return u.String()
}

// joining lets one test at a time make its database on a cluster: a server that is being
// joined fails if another database is made on it.
var joining sync.Mutex

// CitusServers returns the host:port of each server of the cluster that VECWIRE_TEST_CITUS
// names, its coordinator first, or skips the test without one.
func CitusServers(t testing.TB) []string {
	t.Helper()
	if !IsCitus() {
		t.Skipf("no cluster of Citus: set %s", citusVariable)
	}
	servers := strings.Split(os.Getenv(citusVariable), ",")
	coordinator, err := url.Parse(servers[0])
	if err != nil {
		t.Fatalf("%s begins with no URL", citusVariable)
	}
	servers[0] = coordinator.Host
	return servers
}

// realCitus makes a database on all servers of a cluster and joins them.
func realCitus(t testing.TB, given string) string {
	t.Helper()
	parts := strings.Split(given, ",")
	coordinator, err := url.Parse(parts[0])
	if err != nil || len(parts) < 2 || coordinator.Host == "" {
		t.Fatalf("%s is not the URL of a coordinator and the host:port of each worker, with commas between", citusVariable)
	}
	name := objectName(t)
	joining.Lock()
	defer joining.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), 2*readyTimeout)
	defer cancel()
	server := func(host string) *PostgresServer {
		u := *coordinator
		u.Host = host
		return &PostgresServer{base: &u, shared: true}
	}
	join := []string{"CREATE EXTENSION citus"}
	var group errgroup.Group
	for i, host := range append([]string{coordinator.Host}, parts[1:]...) {
		s := server(host)
		node, port, err := net.SplitHostPort(host)
		if err != nil {
			t.Fatalf("%s has %q, want host:port", citusVariable, host)
		}
		t.Cleanup(func() { s.drop(t, s.base.String(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
		if i == 0 {
			join = append(join, "SELECT citus_set_coordinator_host('"+node+"', "+port+")")
		} else {
			join = append(join, "SELECT citus_add_node('"+node+"', "+port+")")
		}
		group.Go(func() error {
			err := s.exec(ctx, s.base.String(), "CREATE DATABASE "+name)
			if err == nil && i > 0 {
				err = s.exec(ctx, s.URL(name), "CREATE EXTENSION citus")
			}
			return err
		})
	}
	s := server(coordinator.Host)
	if err := errors.Join(group.Wait(), s.exec(ctx, s.URL(name), join...)); err != nil {
		t.Fatalf("make a database of Citus: %v", err)
	}
	return s.URL(name)
}

// citusStandIn has what vecwire asks of Citus.
const citusStandIn = `
CREATE SCHEMA citus_standin;
CREATE TABLE citus_standin.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char", partkey text, colocationid int, repmodel "char");
CREATE TABLE citus_standin.pg_dist_shard (logicalrelid regclass, shardid bigint);
CREATE FUNCTION citus_standin.column_to_column_name(regclass, text) RETURNS text LANGUAGE sql AS 'SELECT $2';
CREATE FUNCTION citus_standin.citus_get_active_worker_nodes(OUT node_name text, OUT node_port bigint) RETURNS SETOF record LANGUAGE sql AS
	$$SELECT 'worker', generate_series(9701, 9703)$$;
CREATE FUNCTION citus_standin.create_distributed_table(table_name regclass, distribution_column text, shard_count int DEFAULT 32, colocate_with text DEFAULT 'default')
RETURNS void LANGUAGE sql AS $$
	INSERT INTO citus_standin.pg_dist_partition VALUES ($1, 'h', $2, 1, 's');
	INSERT INTO citus_standin.pg_dist_shard SELECT $1, generate_series(1, $3);
$$;
CREATE FUNCTION citus_standin.create_reference_table(table_name regclass) RETURNS void LANGUAGE sql AS $$
	INSERT INTO citus_standin.pg_dist_partition VALUES ($1, 'n', NULL, 2, 't');
	INSERT INTO citus_standin.pg_dist_shard VALUES ($1, 1);
$$;
CREATE FUNCTION citus_standin.recover_prepared_transactions() RETURNS int LANGUAGE sql AS 'SELECT 0';
CREATE FUNCTION citus_standin.run_command_on_workers(command text, OUT nodename text, OUT nodeport int, OUT success boolean, OUT result text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command INTO result;
	RETURN QUERY SELECT 'worker', 9701, true, result;
END$$;
CREATE FUNCTION citus_standin.run_command_on_all_nodes(command text, OUT success boolean, OUT result text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN QUERY SELECT true, '';
END$$;
CREATE FUNCTION citus_standin.citus_table_size(regclass) RETURNS bigint LANGUAGE sql AS 'SELECT pg_table_size($1)';
CREATE FUNCTION citus_standin.run_command_on_shards(table_name regclass, command text, OUT shardid bigint, OUT success boolean, OUT result text) RETURNS SETOF record
LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format(command, table_name::text) INTO result;
	RETURN QUERY SELECT 1::bigint, true, result;
END$$;
`
