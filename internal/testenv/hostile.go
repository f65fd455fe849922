package testenv

import (
	"context"
	"testing"
)

// hostileSettings are what a database may be set to that changes what values mean
// on their way, or how statements are read and planned.
var hostileSettings = []string{
	"client_encoding = 'LATIN1'", "standard_conforming_strings = off", "escape_string_warning = off", "backslash_quote = off",
	"datestyle = 'SQL, DMY'", "intervalstyle = 'sql_standard'", "timezone = 'Asia/Kathmandu'",
	"extra_float_digits = -15", "bytea_output = 'escape'", "array_nulls = off", "xmlbinary = 'hex'",
	"default_transaction_isolation = 'serializable'", "default_transaction_deferrable = on",
	"quote_all_identifiers = on", "transform_null_equals = on", "default_text_search_config = 'pg_catalog.russian'",
	"enable_sort = off", "enable_indexscan = off", "plan_cache_mode = 'force_generic_plan'", "cursor_tuple_fraction = 1",
}

// otherSettings are more of them, of which some exclude those above.
var otherSettings = []string{
	"gin_fuzzy_search_limit = 1", "enable_seqscan = off", "enable_hashagg = off", "enable_hashjoin = off", "enable_nestloop = off", "enable_material = off",
	"enable_indexonlyscan = off", "plan_cache_mode = 'force_custom_plan'", "work_mem = '64kB'",
	"from_collapse_limit = 1", "join_collapse_limit = 1", "parallel_setup_cost = 0", "parallel_tuple_cost = 0", "min_parallel_table_scan_size = 0",
	"max_parallel_workers_per_gather = 2", "row_security = on", "xmloption = 'document'", "synchronous_commit = off",
	"default_toast_compression = 'pglz'", "check_function_bodies = off", "constraint_exclusion = on", "lc_numeric = 'C'", "timezone_abbreviations = 'India'",
	"hnsw.ef_search = 1", "ivfflat.probes = 1", "search_path = public, pg_catalog", "bytea_output = 'escape'", "intervalstyle = 'iso_8601'",
}

// HostilePostgres returns the URL of a new database as [Postgres] does, with
// LC_CTYPE C and the settings that a program must not depend on.
func HostilePostgres(t testing.TB) string {
	t.Helper()
	return hostilePostgres(t, "LC_COLLATE 'C' LC_CTYPE 'C'", hostileSettings)
}

// TurkishPostgres is HostilePostgres with other settings, and a collation of ICU by which
// a small i is not the small form of a capital I.
func TurkishPostgres(t testing.TB) string {
	t.Helper()
	return hostilePostgres(t, "LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C.UTF-8'", otherSettings)
}

func hostilePostgres(t testing.TB, locale string, settings []string) string {
	t.Helper()
	s := SharedPostgres(t)
	name := objectName(t)
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	statements := []string{"CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8' " + locale}
	for _, setting := range settings {
		statements = append(statements, "ALTER DATABASE "+name+" SET "+setting)
	}
	t.Cleanup(func() { s.drop(t, s.base.String(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	if err := s.exec(ctx, s.base.String(), statements...); err != nil {
		t.Fatalf("create a database with other settings: %v", err)
	}
	return s.URL(name)
}
