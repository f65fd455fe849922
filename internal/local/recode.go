package local

import "context"

// recode replaces the codes of the vectors, beside searches, if they are not what the schema
// asks for: it was altered, or they come from a snapshot of before. A snapshot is due then.
func (c *collection) recode(ctx context.Context) error {
	c.mu.RLock()
	index := c.index
	due := !c.gone && index.hasOtherCodes()
	c.mu.RUnlock()
	if !due {
		return nil
	}
	if err := index.maintain(ctx, &c.mu); err != nil {
		return err
	}
	c.still.Lock()
	c.mu.Lock()
	c.saved.noted = max(c.saved.noted, c.saved.idleAt)
	c.mu.Unlock()
	c.still.Unlock()
	return nil
}
