// Package expiry keeps records out of sight whose time has passed: those of a
// collection with a Time field that is marked Expires. It wraps an engine's collection,
// so that there is one place where time is looked at, and one meaning on every engine;
// the engines know filters and no clocks.
//
// A record is there as long as the field has no value or one that lies ahead. Each call
// looks at the clock once. What has expired is as good as deleted: no verb returns,
// counts or changes it, and one that stores its ID finds it free. It takes room until it
// is swept.
//
// The package does not know who calls Sweep, and when.
package expiry
