package transform

// WriteTinyModel writes a small model with random weights, for the examples.
func WriteTinyModel(dir string) error { return newTinyModel().write(dir) }
