package results

import (
	"bytes"
	"cmp"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// picture is a plot that was written.
type picture struct{ file, title string }

const width, height = 22 * vg.Centimeter, 13 * vg.Centimeter

// ink and the colours of Okabe and Ito, which people with any colour vision can
// tell apart.
var (
	ink     = color.RGBA{60, 60, 60, 255}
	palette = []color.RGBA{
		{213, 94, 0, 255}, {0, 114, 178, 255}, {0, 158, 115, 255}, {204, 121, 167, 255},
		{230, 159, 0, 255}, {86, 180, 233, 255}, {120, 120, 120, 255}, {0, 0, 0, 255},
	}
)

// colours gives each name the same colour in every plot, and that of the text to
// those that are not expected.
func colours(name string) color.RGBA {
	order := []string{
		OursGraph, Hnswlib, FaissHNSW, HnswlibHuge, Coder, Usearch, Memory, DuckDB,
		OursExact, FaissFlat, SQLiteVec, Chromem, OursExactCosine, OursGraphAPI, OursScanAPI, OursGraph4, OursScan4,
	}
	if i := slices.Index(order, name); i >= 0 {
		return palette[i%len(palette)]
	}
	return ink
}

// draw writes every plot that there are results for.
func (r Report) draw(dir string) ([]picture, error) {
	var pictures []picture
	for _, s := range r.Sizes {
		if len(s.Curves) > 0 {
			pictures = append(pictures, picture{fmt.Sprintf("recall-%d.svg", s.Rows), fmt.Sprintf("Recall against queries a second, %s rows", thousands(s.Rows))})
			if err := s.drawCurves(dir, pictures[len(pictures)-1]); err != nil {
				return nil, err
			}
		}
	}
	if len(r.Sizes) > 1 {
		pictures = append(pictures, picture{"latency-rows.svg", "Time of a query against rows, one thread"})
		if err := r.drawGrowth(dir, pictures[len(pictures)-1]); err != nil {
			return nil, err
		}
	}
	if spans := r.spans(); len(spans) > 0 {
		pictures = append(pictures, picture{"percentiles.svg", "p50, p95 and p99 of a search, 128 dimensions"})
		if err := drawSpans(dir, pictures[len(pictures)-1], spans); err != nil {
			return nil, err
		}
	}
	return pictures, nil
}

func newPlot(title, x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = color.White
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, x, y
	p.Title.Padding = vg.Points(8)
	sans := func(size vg.Length) font.Font { return font.Font{Typeface: "Liberation", Variant: "Sans", Size: size} }
	p.Title.TextStyle.Font = sans(14)
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font, a.Tick.Label.Font = sans(11), sans(10)
		a.Label.TextStyle.Color, a.Tick.Label.Color, a.Color, a.Tick.Color = ink, ink, ink, ink
		a.Label.Padding = vg.Points(4)
	}
	grid := plotter.NewGrid()
	grid.Horizontal.Color, grid.Vertical.Color = color.Gray{225}, color.Gray{235}
	p.Add(grid)
	return p
}

// line draws a series and writes its name at its last point.
func line(p *plot.Plot, name string, points plotter.XYs, bold bool) error {
	l, dots, err := plotter.NewLinePoints(points)
	if err != nil {
		return err
	}
	l.Color, dots.Color = colours(name), colours(name)
	l.Width, dots.Shape, dots.Radius = vg.Points(1.3), draw.CircleGlyph{}, vg.Points(2.2)
	if bold {
		l.Width, dots.Radius = vg.Points(2.6), vg.Points(3)
	}
	p.Add(l, dots)
	return nil
}

// labels writes names to the right of points, in their colours, and moves those
// apart that would lie on each other. Both axes must have their final ranges.
func labels(p *plot.Plot, names []string, points plotter.XYs) error {
	const gap = 0.042 // of the axis, the height of a line of text
	order := make([]int, len(names))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(points[a].Y, points[b].Y) })
	last := math.Inf(-1)
	for _, i := range order {
		at := max(p.Y.Norm(points[i].Y), last+gap)
		last = at
		l, err := plotter.NewLabels(plotter.XYLabels{XYs: plotter.XYs{points[i]}, Labels: []string{names[i]}})
		if err != nil {
			return err
		}
		l.TextStyle[0].Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: 10}
		l.TextStyle[0].Color = colours(names[i])
		l.TextStyle[0].YAlign = draw.YCenter
		drawn := height - vg.Points(75) // about what the axis takes of the picture
		l.Offset = vg.Point{X: vg.Points(6), Y: vg.Length(at-p.Y.Norm(points[i].Y)) * drawn}
		p.Add(l)
	}
	return nil
}

// nines puts recalls on an axis, see quality.
type nines struct{}

func (nines) Ticks(lowest, highest float64) []plot.Tick {
	var ticks []plot.Tick
	for _, recall := range []float64{0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 0.9999} {
		if q := quality(recall); q >= lowest && q <= highest {
			ticks = append(ticks, plot.Tick{Value: q, Label: fmt.Sprint(recall)})
		}
	}
	return ticks
}

// decades puts 1, 2 and 5 times the powers of ten on an axis.
type decades struct{}

func (decades) Ticks(lowest, highest float64) []plot.Tick {
	var ticks []plot.Tick
	for power := math.Pow(10, math.Floor(math.Log10(lowest))); power <= highest; power *= 10 {
		for _, times := range []float64{1, 2, 5} {
			if x := power * times; x >= lowest && x <= highest {
				label := fmt.Sprintf("%g", x)
				if x >= 1000 {
					label = thousands(int(math.Round(x)))
				}
				ticks = append(ticks, plot.Tick{Value: x, Label: label})
			}
		}
	}
	return ticks
}

// logarithmic makes an axis of decades that has room for lowest to highest.
func logarithmic(a *plot.Axis, lowest, highest float64) {
	a.Scale, a.Tick.Marker = plot.LogScale{}, decades{}
	a.Min, a.Max = lowest/1.3, highest*1.3
}

// span keeps the least and the greatest of what it is given.
type span struct{ least, most float64 }

func (s *span) add(x float64) {
	if s.least == 0 || x < s.least {
		s.least = x
	}
	s.most = max(s.most, x)
}

func (s Size) drawCurves(dir string, pic picture) error {
	p := newPlot(pic.title+" ("+s.Data+", 128-D, one thread)", fmt.Sprintf("recall@%d", s.K), "queries a second")
	var names []string
	var ends plotter.XYs
	var speed, recall span
	for _, c := range s.Curves {
		var points plotter.XYs
		for _, pt := range c.Points {
			if pt.Recall >= 0.8 && pt.Recall <= 0.9999 {
				points = append(points, plotter.XY{X: quality(pt.Recall), Y: 1e6 / pt.Micros})
			}
		}
		if len(points) == 0 {
			continue
		}
		for _, pt := range points {
			speed.add(pt.Y)
			recall.add(pt.X)
		}
		if err := line(p, c.Name, points, c.Name == OursGraph); err != nil {
			return err
		}
		names, ends = append(names, c.Name), append(ends, points[len(points)-1])
	}
	logarithmic(&p.Y, speed.least, speed.most)
	p.X.Min, p.X.Max = recall.least, recall.most+0.3*(recall.most-recall.least) // room for the names
	p.X.Tick.Marker = nines{}
	if err := labels(p, names, ends); err != nil {
		return err
	}
	return save(p, filepath.Join(dir, pic.file))
}

func (r Report) drawGrowth(dir string, pic picture) error {
	p := newPlot(pic.title, "rows", "µs a query")
	series := map[string]plotter.XYs{}
	shown := []string{OursGraph, OursExact, Hnswlib, FaissHNSW, FaissFlat, Usearch, DuckDB} // and what is written in Go
	var rows, times span
	for _, s := range r.Sizes {
		for _, g := range []Group{Graph, ExactL2, ExactCosine} {
			for _, res := range s.group(g) {
				if g == Graph && res.Recall < s.Target {
					continue // it answers another question
				}
				if res.GoPeer || slices.Contains(shown, res.Name) {
					series[res.Name] = append(series[res.Name], plotter.XY{X: float64(s.Rows), Y: res.Micros()})
					rows.add(float64(s.Rows))
					times.add(res.Micros())
				}
			}
		}
	}
	var names []string
	for name := range series {
		names = append(names, name)
	}
	slices.Sort(names)
	var ends plotter.XYs
	for _, name := range names {
		points := series[name]
		if err := line(p, name, points, name == OursGraph || name == OursExact); err != nil {
			return err
		}
		ends = append(ends, points[len(points)-1])
	}
	logarithmic(&p.Y, times.least, times.most)
	logarithmic(&p.X, rows.least, rows.most*3)
	if err := labels(p, names, ends); err != nil {
		return err
	}
	return save(p, filepath.Join(dir, pic.file))
}

// timed is a search's percentiles with a name.
type timed struct {
	name string
	Percentiles
}

// spans returns the percentiles of each of our engines, over the most rows that
// it was measured with, at most 100,000: what servers have.
func (r Report) spans() []timed {
	var all []timed
	for _, name := range []string{OursGraphSearch, OursGraphPayload, OursSearch, OursPayload, OursPostgres, OursIRIS} {
		for _, s := range slices.Backward(r.Sizes) {
			if res, ok := s.find(name); ok && s.Rows <= 100_000 && len(res.Rounds) > 0 {
				all = append(all, timed{name + ", " + thousands(res.Rows) + " rows", res.Times})
				break
			}
		}
	}
	return all
}

func drawSpans(dir string, pic picture, all []timed) error {
	p := newPlot(pic.title, "µs: p50, p95 and p99 from left to right", "")
	var times span
	for i, t := range all {
		y := float64(len(all) - i)
		points := plotter.XYs{{X: t.P50, Y: y}, {X: t.P95, Y: y}, {X: t.P99, Y: y}}
		l, dots, err := plotter.NewLinePoints(points)
		if err != nil {
			return err
		}
		l.Color, l.Width = palette[1], vg.Points(2)
		dots.Shape, dots.Color, dots.Radius = draw.CircleGlyph{}, palette[1], vg.Points(4)
		name, err := plotter.NewLabels(plotter.XYLabels{XYs: points[:1], Labels: []string{t.name}})
		if err != nil {
			return err
		}
		name.TextStyle[0].Font = font.Font{Typeface: "Liberation", Variant: "Sans", Size: 11}
		name.TextStyle[0].Color = ink
		name.Offset = vg.Point{X: -vg.Points(3), Y: vg.Points(9)}
		p.Add(l, dots, name)
		times.add(t.P50)
		times.add(t.P99)
	}
	logarithmic(&p.X, times.least, times.most*4)
	p.Y.Min, p.Y.Max = 0.5, float64(len(all))+0.9
	p.HideY()
	return save(p, filepath.Join(dir, pic.file))
}

// save writes a plot as SVG. Its text is in a font that is like the one it was
// laid out with, where that is not at hand.
func save(p *plot.Plot, path string) error {
	canvas := vgsvg.New(width, height)
	page := draw.New(canvas)
	page.SetColor(color.White)
	page.Fill(page.Path())
	p.Draw(draw.Crop(page, vg.Points(6), -vg.Points(12), vg.Points(6), -vg.Points(8)))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return err
	}
	svg := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif;"))
	return os.WriteFile(path, svg, 0o644)
}
