package main

import (
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// files returns the text of the package's files by their names.
func files() (map[string][]byte, error) {
	a := &asm{Context: build.NewContext(), data: map[string]operand.Mem{}}
	a.ConstraintExpr("gc,!purego")
	for _, kernel := range []func(*asm){dense, quantize, addNorm, gelu, softmax, tile} {
		kernel(a)
	}
	a.wide = true
	for _, kernel := range []func(*asm){denseVNNI, quantizeBytes, addNorm, gelu, softmax, tile} {
		kernel(a)
	}
	f, err := a.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(f); err != nil {
		return nil, err
	}
	config := printer.Config{Argv: []string{"go", "generate"}, Name: "embed/transform/internal/kernels/gen", Pkg: "kernels"}
	text, err := printer.NewGoAsm(config).Print(f)
	stubs, stubsErr := printer.NewStubs(config).Print(f)
	files := map[string][]byte{"kernels_amd64.s": text, "kernels_amd64.go": stubs}
	maps.Copy(files, neonFiles())
	return files, errors.Join(err, stubsErr)
}

// asm has avo's instructions and what several kernels share.
type asm struct {
	*build.Context
	data   map[string]operand.Mem
	labels int
	wide   bool // the kernels are for AVX-512, with sixteen lanes instead of eight
}

// form returns the end of a kernel's name.
func (a *asm) form() string {
	if a.wide {
		return "AVX512"
	}
	return "AVX2"
}

func (a *asm) lanes() int {
	if a.wide {
		return 16
	}
	return 8
}

// count returns the number of lanes in words.
func (a *asm) count() string {
	if a.wide {
		return "sixteen"
	}
	return "eight"
}

// round rounds each lane to the nearest integer, and to the even one of two.
func (a *asm) round(x reg.VecVirtual) {
	if a.wide {
		a.VRNDSCALEPS(operand.Imm(0), x, x)
	} else {
		a.VROUNDPS(operand.Imm(0), x, x)
	}
}

func (a *asm) vec() reg.VecVirtual {
	if a.wide {
		return a.ZMM()
	}
	return a.YMM()
}

func (a *asm) vecs(n int) []reg.VecVirtual {
	regs := make([]reg.VecVirtual, n)
	for i := range regs {
		regs[i] = a.vec()
	}
	return regs
}

// begin starts a kernel and returns its arguments in registers, in order.
func (a *asm) begin(name, doc, signature string, params ...string) []reg.GPVirtual {
	a.Function(name)
	a.Attributes(attr.NOSPLIT)
	a.SignatureExpr(signature)
	a.Pragma("noescape")
	a.Doc(doc)
	var args []reg.GPVirtual
	for _, p := range params {
		args = append(args, a.Load(a.Param(p), a.GP64()).(reg.GPVirtual))
	}
	return args
}

func (a *asm) end() {
	a.VZEROUPPER()
	a.RET()
}

// label returns a name for a label, another one each time.
func (a *asm) label(name string) string {
	a.labels++
	return fmt.Sprintf("%s%d", name, a.labels)
}

func to(label string) operand.LabelRef { return operand.LabelRef(label) }

func (a *asm) zero(regs ...reg.VecVirtual) {
	for _, r := range regs {
		if a.wide {
			a.VPXORD(r, r, r)
		} else {
			a.VPXOR(r, r, r)
		}
	}
}

// words returns read-only memory that has a word in each of sixteen places.
func (a *asm) words(word uint32) operand.Mem {
	name := fmt.Sprintf("word%08x", word)
	if m, ok := a.data[name]; ok {
		return m
	}
	m := a.StaticGlobal(name)
	a.DataAttributes(attr.RODATA | attr.NOPTR)
	for i := range 16 {
		a.AddDatum(4*i, operand.U32(word))
	}
	a.data[name] = m
	return m
}

func (a *asm) floats(x float64) operand.Mem { return a.words(math.Float32bits(float32(x))) }

// each writes a loop over arrays of n elements, a multiple of the lanes, at each of
// the pointers, which it moves to their ends. It uses n up.
func (a *asm) each(n reg.GPVirtual, body func(), pointers ...reg.GPVirtual) {
	loop, done := a.label("loop"), a.label("done")
	a.Label(loop)
	a.SUBQ(operand.Imm(uint64(a.lanes())), n)
	a.JL(to(done))
	body()
	for _, p := range pointers {
		a.ADDQ(operand.Imm(uint64(4*a.lanes())), p)
	}
	a.JMP(to(loop))
	a.Label(done)
}

// across combines the lanes of x in the lowest, with t as a spare register.
func (a *asm) across(combine func(x, y, dst operand.Op), x, t reg.VecVirtual) {
	if a.wide {
		a.VEXTRACTF64X4(operand.Imm(1), x, t.AsY())
		combine(t.AsY(), x.AsY(), x.AsY())
		x, t = x.AsY().(reg.VecVirtual), t.AsY().(reg.VecVirtual)
	}
	a.VEXTRACTF128(operand.Imm(1), x, t.AsX())
	combine(t.AsX(), x.AsX(), x.AsX())
	a.VPERMILPS(operand.Imm(0b01_00_11_10), x.AsX(), t.AsX())
	combine(t.AsX(), x.AsX(), x.AsX())
	a.VPERMILPS(operand.Imm(0b10_11_00_01), x.AsX(), t.AsX())
	combine(t.AsX(), x.AsX(), x.AsX())
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }
