package vecwire

import "context"

// Salvage brings what can be read of a damaged store over into a new one: all records that
// are whole, with their vectors, texts and fields. The report says how many of each
// collection are in the new store, and as problems what is lost, by collection and record:
// a record whose vector cannot be read, or a text or field that cannot. A damaged page
// costs what it holds; [DB.Check] names the same before. Indexes over vectors are not
// brought over: they appear by themselves again, or call [Collection.BuildIndex].
//
// The new file is not there before it is whole; Salvage returns [ErrExists] if it is there
// already. The damaged store is only read: open it with [Config].ReadOnly. One that cannot
// be opened at all cannot be salvaged.
//
// Servers have tools of their own: Salvage returns [ErrUnsupported] there, and inside a
// transaction an error.
func (db *DB) Salvage(ctx context.Context, to string) (CheckReport, error) {
	ctx, call, err := db.beginOutsideTx(ctx, OpSalvage, "", "salvage outside")
	if err != nil {
		return CheckReport{}, err
	}
	defer call.leave()
	if to == "" {
		return CheckReport{}, call.end(0, badValue("to", "the path of the new file", ""))
	}
	checked, err := db.engine.Salvage(ctx, to)
	if err = call.end(0, err); err != nil {
		return CheckReport{}, err
	}
	return checkReport(checked), nil
}
