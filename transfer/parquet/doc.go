// Package parquet moves collections into Apache Parquet files and out of them: one
// column each for the ID, the vector, the text and every field. Files of other programs,
// such as pandas, Spark and DuckDB, are read by the names of their columns; see
// [transfer.Names].
//
//	field     column, as [Write] writes it     what [Read] takes besides
//	ID        string                           whole numbers
//	vector    list of float, or of double      list of the other; of half floats and of whole numbers
//	text      string
//	String    string                           enum, JSON
//	Int       int64                            any whole number that an int64 holds
//	Float     double                           float, half float; whole numbers up to 2^53
//	Bool      boolean
//	Time      timestamp in microseconds, UTC   milliseconds, nanoseconds, int96, date; without a zone it is UTC
//	Bytes     binary                           binary of a fixed length
//	Strings   list of string
//	Ints      list of int64                    as Int
//	Floats    list of double                   as Float
//	JSON      JSON                             string that holds JSON
//
// Columns may be compressed with snappy, zstd, gzip or brotli; LZ4 is refused.
//
// A column within a structure has its path with dots as its name, such as "meta.lang".
//
// The package is a module of its own, so that others do not download what it stands on.
package parquet
