// Package chart draws points as SVG. It knows nothing of
// what they measure.
package chart

import (
	"fmt"
	"html"
	"io"
	"math"
	"strings"
)

// Point is one measurement.
type Point struct {
	X, Y  float64
	Label string
}

// The picture, and the frame of the plot in it.
const (
	width, height            = 640, 400
	left, right, top, bottom = 70, 610, 40, 350
)

// Write draws the points in their order.
func Write(w io.Writer, title, xName, yName string, points []Point) error {
	x, y := scaleOf(points, func(p Point) float64 { return p.X }), scaleOf(points, func(p Point) float64 { return p.Y })
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12" role="img" aria-label="%s">`+"\n",
		width, height, html.EscapeString(title))
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	fmt.Fprintf(&b, `<text x="%d" y="22" font-size="14">%s</text>`+"\n", left, html.EscapeString(title))
	for i := range 5 {
		part := float64(i) / 4
		atX, atY := float64(left)+part*(right-left), float64(bottom)-part*(bottom-top)
		fmt.Fprintf(&b, `<path d="M%.1f %dV%d M%d %.1fH%d" stroke="#ddd"/>`+"\n", atX, top, bottom, left, atY, right)
		fmt.Fprintf(&b, `<text x="%.1f" y="%d" text-anchor="middle">%s</text>`+"\n", atX, bottom+18, number(x.low+part*(x.high-x.low)))
		fmt.Fprintf(&b, `<text x="%d" y="%.1f" text-anchor="end">%s</text>`+"\n", left-8, atY+4, number(y.low+part*(y.high-y.low)))
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+right)/2, height-12, html.EscapeString(xName))
	fmt.Fprintf(&b, `<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+bottom)/2, html.EscapeString(yName))
	for _, p := range points {
		atX, atY := float64(left)+x.part(p.X)*(right-left), float64(bottom)-y.part(p.Y)*(bottom-top)
		fmt.Fprintf(&b, `<circle cx="%.1f" cy="%.1f" r="4" fill="#06c"><title>%s</title></circle>`+"\n", atX, atY, html.EscapeString(p.Label))
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end" fill="#444">%s</text>`+"\n", atX-7, atY-6, html.EscapeString(p.Label))
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

type scale struct{ low, high float64 }

// scaleOf spans all values with a little room.
func scaleOf(points []Point, of func(Point) float64) scale {
	s := scale{math.Inf(1), math.Inf(-1)}
	for _, p := range points {
		s.low, s.high = min(s.low, of(p)), max(s.high, of(p))
	}
	if !(s.high > s.low) {
		if len(points) == 0 {
			s.low = 0
		}
		return scale{s.low - 0.5, s.low + 0.5}
	}
	room := (s.high - s.low) / 10
	return scale{s.low - room, s.high + room}
}

func (s scale) part(v float64) float64 { return (v - s.low) / (s.high - s.low) }

func number(v float64) string { return fmt.Sprintf("%.3g", v) }
