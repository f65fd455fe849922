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

// HostilePostgres returns the URL of a new database as [Postgres] does, with
// LC_CTYPE C and the settings that a program must not depend on.
func HostilePostgres(t testing.TB) string {
	t.Helper()
	s := SharedPostgres(t)
	name := objectName(t)
	ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
	defer cancel()
	statements := []string{"CREATE DATABASE " + name + " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"}
	for _, setting := range hostileSettings {
		statements = append(statements, "ALTER DATABASE "+name+" SET "+setting)
	}
	t.Cleanup(func() { s.drop(t, s.base.String(), "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	if err := s.exec(ctx, s.base.String(), statements...); err != nil {
		t.Fatalf("create a database with other settings: %v", err)
	}
	return s.URL(name)
}
