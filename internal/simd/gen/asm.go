package main

import (
	"errors"
	"fmt"
	"maps"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// A goPackage is one that gets kernels.
type goPackage struct {
	name    string
	dir     string // from this one
	kernels []func(*asm)
}

var packages = []goPackage{
	{name: "simd", dir: "..", kernels: []func(*asm){
		codeRows(squared, avx2), codeAt(squared, avx2), codeRowsMany(squared, avx2),
		codeRows(product, avx2), codeAt(product, avx2), codeRowsMany(product, avx2),
		codeRows(squared, vnni), codeAt(squared, vnni), codeRowsMany(squared, vnni),
		codeRows(product, vnni), codeAt(product, vnni), codeRowsMany(product, vnni),
		halfRows(squared, avx2), halfRows(product, avx2), halfRows(squared, vnni), halfRows(product, vnni),
		halfAt(squared, avx2), halfAt(product, avx2), halfAt(squared, vnni), halfAt(product, vnni),
		dotRows(single), floatAt(product, single), l2Pair(single), floatAt(squared, single),
		dotRows(double), floatAt(product, double), l2Pair(double), floatAt(squared, double),
		sub(single), sub(double), maximum(single), maximum(double),
		atMost(squared), atMost(product),
		wide(product, true, single), wide(product, false, single), wide(squared, false, single),
		wide(product, true, double), wide(product, false, double), wide(squared, false, double),
		scaled, quantize,
		walshHadamard,
		prefetch,
	}},
	{name: "bswap", dir: "../bswap", kernels: []func(*asm){reverse4}},
}

// files returns the text of the package's files by their names.
func (p goPackage) files() (map[string][]byte, error) {
	a := &asm{Context: build.NewContext(), masks: map[string]operand.Mem{}}
	a.ConstraintExpr("gc,!purego")
	for _, kernel := range p.kernels {
		kernel(a)
	}
	f, err := a.Result()
	if err != nil {
		return nil, err
	}
	if err := pass.Compile.Execute(f); err != nil {
		return nil, err
	}
	config := printer.Config{Argv: []string{"go", "generate"}, Name: "internal/simd/gen", Pkg: p.name}
	text, err := printer.NewGoAsm(config).Print(f)
	stubs, stubsErr := printer.NewStubs(config).Print(f)
	files := map[string][]byte{"kernels_amd64.s": text, "kernels_amd64.go": stubs}
	maps.Copy(files, neonFiles(p.name))
	return files, errors.Join(err, stubsErr)
}

// op is what is summed over the elements of two vectors.
type op int

const (
	product op = iota // q*x
	squared           // (q-x)^2
)

func (o op) name() string { return [...]string{"Dot", "L2"}[o] }

// asm has avo's instructions and what several kernels share.
type asm struct {
	*build.Context
	masks  map[string]operand.Mem
	labels int
}

// begin starts a kernel and returns its arguments in registers, in order.
func (a *asm) begin(name, doc, signature string, params ...string) []reg.Register {
	a.Function(name)
	a.Attributes(attr.NOSPLIT)
	a.SignatureExpr(signature)
	a.Pragma("noescape")
	a.Doc(doc)
	var args []reg.Register
	for _, p := range params {
		args = append(args, a.Load(a.Param(p), a.GP64()))
	}
	return args
}

// label returns a name for a label, another one each time.
func (a *asm) label(name string) string {
	a.labels++
	return fmt.Sprintf("%s%d", name, a.labels)
}

func (a *asm) to(label string) operand.LabelRef { return operand.LabelRef(label) }

func (a *asm) ymms(n int) []reg.VecVirtual {
	regs := make([]reg.VecVirtual, n)
	for i := range regs {
		regs[i] = a.YMM()
	}
	return regs
}

func (a *asm) gps(n int) []reg.GPVirtual {
	regs := make([]reg.GPVirtual, n)
	for i := range regs {
		regs[i] = a.GP64()
	}
	return regs
}

func (a *asm) zero(regs ...reg.VecVirtual) {
	for _, r := range regs {
		a.VPXOR(r, r, r)
	}
}

// words returns read-only memory with the given words.
func (a *asm) words(name string, words ...uint32) operand.Mem {
	if m, ok := a.masks[name]; ok {
		return m
	}
	m := a.StaticGlobal(name)
	a.DataAttributes(attr.RODATA | attr.NOPTR)
	for i, w := range words {
		a.AddDatum(4*i, operand.U32(w))
	}
	a.masks[name] = m
	return m
}

func at(base reg.Register, disp int) operand.Mem { return operand.Mem{Base: base, Disp: disp} }
