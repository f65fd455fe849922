package testenv

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// apt runs apt-get to download packages, never to install one. Its zero value
// uses the machine's package lists; one made by newApt has its own lists, cache
// and status, so it needs no root and changes nothing outside its directory.
type apt struct {
	conf string // a configuration file that is read last
}

// newApt makes a private apt in dir that knows the given sources.list lines, and
// fetches their lists. With knowInstalled it takes the packages that the machine
// has as installed, else none.
func newApt(ctx context.Context, dir string, sources []string, knowInstalled bool) (*apt, error) {
	for _, sub := range []string{"state/lists/partial", "cache/archives/partial"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return nil, err
		}
	}
	status := "/var/lib/dpkg/status"
	if !knowInstalled {
		status = filepath.Join(dir, "status")
		if err := os.WriteFile(status, nil, 0o644); err != nil {
			return nil, err
		}
	}
	list := filepath.Join(dir, "sources.list")
	if err := os.WriteFile(list, []byte(strings.Join(sources, "\n")+"\n"), 0o644); err != nil {
		return nil, err
	}
	// The hooks that machines run after an update act on the machine; the targets
	// are lists for desktop software.
	conf := fmt.Sprintf(`#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear Acquire::IndexTargets::deb::DEP-11;
#clear Acquire::IndexTargets::deb::DEP-11-icons;
#clear Acquire::IndexTargets::deb::DEP-11-icons-small;
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "%[1]s/state";
Dir::State::Lists "%[1]s/state/lists";
Dir::State::status "%[2]s";
Dir::Cache "%[1]s/cache";
Dir::Etc::SourceList "%[3]s";
Dir::Etc::SourceParts "/dev/null";
`, dir, status, list)
	a := &apt{conf: filepath.Join(dir, "apt.conf")}
	if err := os.WriteFile(a.conf, []byte(conf), 0o644); err != nil {
		return nil, err
	}
	_, err := a.get(ctx, dir, "update", "--error-on=any")
	return a, err
}

// releaseApt makes a private apt in dir for the machine's own release.
func releaseApt(ctx context.Context, dir string) (*apt, error) {
	codename, sources, err := debianRelease()
	if err != nil {
		return nil, err
	}
	lines := []string{sources[0].line("deb", codename)}
	for _, s := range sources[1:] {
		lines = append(lines, s.line("deb", codename+"-security"))
	}
	return newApt(ctx, dir, lines, true)
}

// get runs apt-get in dir.
func (a *apt) get(ctx context.Context, dir string, args ...string) (string, error) {
	options := []string{"-q", "-o", "Acquire::Retries=2", "-o", "Acquire::http::Timeout=20"}
	if a.conf != "" {
		options = append(options, "-c", a.conf)
	}
	c := command{Dir: dir, Env: append(os.Environ(), "LC_ALL=C"), Name: "apt-get", Args: append(options, args...)}
	return c.run(ctx)
}

// debFile is a package that apt would download.
type debFile struct{ Name, Version string }

// missing returns the packages that installing name would download.
func (a *apt) missing(ctx context.Context, name string) ([]debFile, error) {
	out, err := a.get(ctx, "", "-q", "--print-uris", "--no-install-recommends", "install", name)
	if err != nil {
		return nil, err
	}
	var debs []debFile
	for line := range strings.Lines(out) {
		// 'http://…/libc-ares2_1.18.1-3_amd64.deb' libc-ares2_1.18.1-3_amd64.deb 102484 MD5Sum:…
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(line, "'") {
			continue
		}
		parts := strings.Split(fields[1], "_")
		if len(parts) != 3 {
			return nil, fmt.Errorf("apt-get names a package file %q, want name_version_architecture.deb", fields[1])
		}
		version, err := url.PathUnescape(parts[1])
		if err != nil {
			return nil, err
		}
		debs = append(debs, debFile{Name: parts[0], Version: version})
	}
	return debs, nil
}

// unpack downloads the packages, which apt verifies, and unpacks them into
// prefix. The downloads are left in dir.
func (a *apt) unpack(ctx context.Context, dir, prefix string, debs []debFile) error {
	args := []string{"download"}
	for _, deb := range debs {
		args = append(args, deb.Name+"="+deb.Version)
	}
	if _, err := a.get(ctx, dir, args...); err != nil {
		return err
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if _, err := (command{Name: "dpkg-deb", Args: []string{"-x", file, prefix}}).run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// debianSource is one source of packages in the machine's apt configuration.
type debianSource struct {
	URI, SignedBy      string
	Suites, Components []string
}

// line returns the source as a line of sources.list for another suite; kind is
// "deb" or "deb-src".
func (s debianSource) line(kind, suite string) string {
	option := ""
	if s.SignedBy != "" {
		option = " [signed-by=" + s.SignedBy + "]"
	}
	return fmt.Sprintf("%s%s %s %s main", kind, option, s.URI, suite)
}

// debianRelease returns the code name of the machine's Debian release and the
// sources that its apt has for it: the main archive, and the security archive if
// there is one.
func debianRelease() (codename string, sources []debianSource, err error) {
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "", nil, errors.New("packages can be had on Debian only")
	}
	values := make(map[string]string)
	for line := range strings.Lines(string(release)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[key] = strings.Trim(value, `"`)
	}
	if values["ID"] != "debian" {
		return "", nil, fmt.Errorf("packages can be had on Debian only, this is %s", values["PRETTY_NAME"])
	}
	codename = values["VERSION_CODENAME"]
	files := []string{"/etc/apt/sources.list"}
	for _, pattern := range []string{"*.list", "*.sources"} {
		more, _ := filepath.Glob("/etc/apt/sources.list.d/" + pattern)
		files = append(files, more...)
	}
	for _, suite := range []string{codename, codename + "-security"} {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				continue
			}
			parse := parseListFile
			if strings.HasSuffix(file, ".sources") {
				parse = parseSourcesFile
			}
			found := parse(string(text))
			i := slices.IndexFunc(found, func(s debianSource) bool {
				return slices.Contains(s.Suites, suite) && slices.Contains(s.Components, "main")
			})
			if i >= 0 {
				sources = append(sources, found[i])
				break
			}
		}
		if len(sources) == 0 {
			return "", nil, fmt.Errorf("no package source for Debian %q in /etc/apt", suite)
		}
	}
	return codename, sources, nil
}

// parseListFile reads the one-line format of sources.list(5).
func parseListFile(text string) []debianSource {
	var sources []debianSource
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		rest, ok := strings.CutPrefix(strings.TrimSpace(line), "deb ")
		if !ok {
			continue
		}
		var s debianSource
		rest = strings.TrimSpace(rest)
		if options, after, ok := strings.Cut(rest, "]"); ok && strings.HasPrefix(options, "[") {
			rest = after
			for _, option := range strings.Fields(options[1:]) {
				if path, ok := strings.CutPrefix(option, "signed-by="); ok {
					s.SignedBy = path
				}
			}
		}
		if fields := strings.Fields(rest); len(fields) > 2 {
			s.URI, s.Suites, s.Components = fields[0], fields[1:2], fields[2:]
			sources = append(sources, s)
		}
	}
	return sources
}

// parseSourcesFile reads the deb822 format of sources.list(5). A key that is
// written into the file itself is left out: apt then takes its trusted keys.
func parseSourcesFile(text string) []debianSource {
	var sources []debianSource
	var s debianSource
	flush := func() {
		if s.URI != "" {
			sources = append(sources, s)
		}
		s = debianSource{}
	}
	lines := bufio.NewScanner(strings.NewReader(text))
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			flush()
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || strings.HasPrefix(line, "#") || strings.HasPrefix(line, " ") {
			continue
		}
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch strings.ToLower(key) {
		case "uris":
			s.URI = fields[0]
		case "suites":
			s.Suites = fields
		case "components":
			s.Components = fields
		case "signed-by":
			s.SignedBy = fields[0]
		}
	}
	flush()
	return sources
}
