package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/vecwire/vecwire/bench/results"
)

// machine says what this is measured on. What it cannot find out it leaves empty.
func machine() results.Machine {
	m := results.Machine{
		CPU:       match("/proc/cpuinfo", `model name\s*: (.*)`),
		CPUs:      runtime.NumCPU(),
		Kernel:    firstLine("/proc/sys/kernel/osrelease"),
		HugePages: match("/sys/kernel/mm/transparent_hugepage/enabled", `\[(.*)\]`),
		Go:        runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
	if has := simdFlags(); has != "" {
		m.CPU += " (" + has + ")"
	}
	var kib int
	if _, err := fmt.Sscan(match("/proc/meminfo", `MemTotal:\s*(\d+)`), &kib); err == nil {
		m.Memory = fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
	}
	var caches []string
	found, _ := filepath.Glob("/sys/devices/system/cpu/cpu0/cache/index*")
	for _, dir := range found {
		if kind := firstLine(dir + "/type"); kind != "Instruction" {
			caches = append(caches, "L"+firstLine(dir+"/level")+" "+firstLine(dir+"/size"))
		}
	}
	m.Caches = strings.Join(caches, ", ")
	if out, err := exec.Command("git", "describe", "--always", "--dirty").Output(); err == nil {
		m.Commit = strings.TrimSpace(string(out))
	}
	return m
}

// simdFlags names the instructions that engines make use of.
func simdFlags() string {
	flags := strings.Fields(match("/proc/cpuinfo", `flags\s*: (.*)`))
	var has []string
	for _, f := range []string{"avx2", "fma", "f16c", "avx512f", "avx512_vnni"} {
		if slices.Contains(flags, f) {
			has = append(has, f)
		}
	}
	return strings.Join(has, " ")
}

// load returns the load averages of 1, 5 and 15 minutes.
func load() string { return match("/proc/loadavg", `^(\S+ \S+ \S+)`) }

func firstLine(path string) string { return match(path, `^(.*)`) }

// match returns what a file has in the parentheses of a pattern.
func match(path, pattern string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	if m := regexp.MustCompile(pattern).FindSubmatch(b); m != nil {
		return string(m[1])
	}
	return ""
}
