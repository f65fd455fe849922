package transform

// WriteTinyModel writes a small model with random weights, for the examples.
func WriteTinyModel(dir string) error { return newTinyModel().write(dir) }

// WriteTinyCrossEncoder writes a tiny cross-encoder into a directory.
func WriteTinyCrossEncoder(dir string) error { return newCrossEncoder().write(dir) }
