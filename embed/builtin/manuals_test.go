package builtin

import (
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// A labelled question, with the names of the pages that answer it.
type labelled struct{ question, answers string }

// These questions were written, with their answers, before the first of them was
// asked, by an author who knew the commands and had not read the pages again; none
// was changed after, and nothing was chosen with a look at them.
var (
	gitQuestions = []labelled{
		{"undo the last commit but keep my changes", "git-reset"},
		{"throw away changes in a file that I have not committed", "git-restore git-checkout"},
		{"put unfinished work aside for a while", "git-stash"},
		{"find the commit that introduced a bug", "git-bisect"},
		{"who wrote this line", "git-blame git-annotate"},
		{"take one commit from another branch", "git-cherry-pick"},
		{"download new commits without touching my files", "git-fetch"},
		{"get a copy of a project from a server", "git-clone"},
		{"upload my commits to a server", "git-push"},
		{"join two lines of development", "git-merge"},
		{"replay my commits on top of newer ones", "git-rebase"},
		{"start version control in an empty folder", "git-init"},
		{"which files have I changed", "git-status git-diff"},
		{"see what happened in the past", "git-log git-whatchanged git-reflog"},
		{"make a commit that reverses an earlier one", "git-revert"},
		{"give a release a name", "git-tag"},
		{"work on two branches at once in different directories", "git-worktree"},
		{"recover a commit that no branch points to any more", "git-reflog git-fsck"},
		{"include another project as a subdirectory", "git-submodule"},
		{"search the tracked files for a text", "git-grep"},
		{"delete files that are not under version control", "git-clean"},
		{"make the repository smaller by throwing away what nothing needs", "git-gc git-prune git-repack"},
		{"pack a snapshot of the tree into a tar file", "git-archive"},
		{"check that no object is damaged", "git-fsck"},
		{"send patches by mail", "git-send-email git-format-patch git-imap-send"},
		{"set my name and address", "git-config"},
		{"ignore some paths when files are added", "git-check-ignore git-add"},
		{"import the history of a subversion repository", "git-svn"},
		{"summarise commits by author", "git-shortlog"},
		{"get a readable name for a commit based on the nearest tag", "git-describe"},
		{"record how a conflict was resolved and do it again next time", "git-rerere"},
		{"move history between machines without a network", "git-bundle"},
		{"change many old commits at once", "git-filter-branch"},
		{"check out only some directories of a large tree", "git-sparse-checkout"},
		{"attach remarks to a commit without changing it", "git-notes"},
		{"rename a file", "git-mv"},
	}
	sqlQuestions = []labelled{
		{"add a column to a table", "ALTER_TABLE"},
		{"make queries on a column faster", "CREATE_INDEX"},
		{"forget everything since the transaction began", "ROLLBACK ABORT"},
		{"make changes permanent", "COMMIT END"},
		{"free the space of dead rows", "VACUUM"},
		{"see how a query will be executed", "EXPLAIN"},
		{"load a csv file into a table", "COPY"},
		{"give a user the right to read a table", "GRANT"},
		{"take a privilege away", "REVOKE"},
		{"run a function whenever a row is inserted", "CREATE_TRIGGER"},
		{"remove all rows at once", "TRUNCATE DELETE"},
		{"change values of existing rows", "UPDATE"},
		{"insert a row or update it if it is there", "INSERT MERGE"},
		{"hide rows from some users", "CREATE_POLICY"},
		{"wait for messages of other sessions", "LISTEN"},
		{"tell other sessions that something has happened", "NOTIFY"},
		{"make a new user", "CREATE_USER CREATE_ROLE"},
		{"store the result of a query and refresh it later", "CREATE_MATERIALIZED_VIEW REFRESH_MATERIALIZED_VIEW"},
		{"generate numbers one after another", "CREATE_SEQUENCE"},
		{"partly undo a transaction", "SAVEPOINT ROLLBACK_TO_SAVEPOINT"},
		{"read a large result piece by piece", "DECLARE FETCH"},
		{"plan a statement once and run it many times", "PREPARE EXECUTE"},
		{"keep others from changing a table while I work", "LOCK"},
		{"change a setting for this session", "SET"},
		{"change a setting of the whole server", "ALTER_SYSTEM"},
		{"install an additional module", "CREATE_EXTENSION"},
		{"read tables of another server", "CREATE_FOREIGN_TABLE CREATE_SERVER IMPORT_FOREIGN_SCHEMA CREATE_FOREIGN_DATA_WRAPPER"},
		{"send changes to a replica", "CREATE_PUBLICATION CREATE_SUBSCRIPTION"},
		{"collect statistics for the planner", "ANALYZE CREATE_STATISTICS"},
		{"write a function in SQL", "CREATE_FUNCTION"},
		{"define a type with constraints", "CREATE_DOMAIN"},
		{"give away everything that a user has", "REASSIGN_OWNED"},
		{"describe what a table is for", "COMMENT"},
		{"repair a broken index", "REINDEX"},
		{"put tables on another disk", "CREATE_TABLESPACE ALTER_TABLESPACE ALTER_TABLE"},
		{"physically sort a table by an index", "CLUSTER"},
	}
)

// readManuals returns what the pages of a pattern say under NAME and DESCRIPTION. The
// test is skipped if the machine has not so many.
func readManuals(t *testing.T, pattern string, least int) (records []vecwire.Record) {
	files, err := filepath.Glob(pattern)
	require.NoError(t, err)
	if len(files) < least {
		t.Skipf("%s: %d manual pages: install them, and let dpkg keep /usr/share/man", pattern, len(files))
	}
	for _, file := range files {
		id, _, _ := strings.Cut(filepath.Base(file), ".")
		raw, err := os.Open(file)
		require.NoError(t, err)
		page, err := gzip.NewReader(raw)
		require.NoError(t, err)
		text, err := io.ReadAll(page)
		require.NoError(t, err)
		require.NoError(t, raw.Close())
		if plain := plainManual(string(text)); plain != "" { // some pages only name another
			records = append(records, vecwire.Record{ID: id, Text: plain})
		}
	}
	return records
}

// plainManual takes the commands of roff out of a page.
func plainManual(page string) string {
	var b strings.Builder
	wanted := false
	unescaped := strings.NewReplacer(`\-`, "-", `\fI`, "", `\fB`, "", `\fR`, "", `\fP`, "", `\&`, "", `\(aq`, "'", `\*(Aq`, "'", `\(lq`, `"`, `\(rq`, `"`, `\(co`, "")
	for line := range strings.Lines(page) {
		if section, found := strings.CutPrefix(line, ".SH "); found {
			name := strings.Trim(strings.TrimSpace(section), `"`)
			wanted = name == "NAME" || name == "DESCRIPTION"
		}
		if wanted && !strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "'") {
			b.WriteString(unescaped.Replace(line))
		}
	}
	return b.String()
}

// TestManuals asks two sets of questions about commands: by words, by vectors and by
// both.
func TestManuals(t *testing.T) {
	if testing.Short() {
		t.Skip("it embeds 300 pages")
	}
	for _, set := range []struct {
		name, pattern string
		pages         int
		questions     []labelled
		alone, fused  int // answered among the first five, less what other versions of the pages may change
	}{
		{"git", "/usr/share/man/man1/git-*.1.gz", 100, gitQuestions, 19, 20},
		{"SQL", "/usr/share/man/man7/[A-Z]*[A-Z].7.gz", 100, sqlQuestions, 26, 26},
	} {
		t.Run(set.name, func(t *testing.T) {
			e := New()
			db, err := vecwire.Open(t.Context(), "mem:")
			require.NoError(t, err)
			defer db.Close()
			pages, err := db.CreateCollection(t.Context(), vecwire.Schema{Name: "pages", Dim: e.Dim(), Model: e.Model(), Metric: vecwire.Dot, FullText: vecwire.English})
			require.NoError(t, err)
			pages, err = pages.WithEmbedder(e)
			require.NoError(t, err)
			require.NoError(t, pages.Upsert(t.Context(), readManuals(t, set.pattern, set.pages)...))
			answered := func(fusion *vecwire.Fusion) (first, five int) {
				for _, q := range set.questions {
					hits, err := pages.Search(t.Context(), vecwire.Query{Text: q.question, K: 5, Fusion: fusion})
					require.NoError(t, err)
					place := slices.IndexFunc(hits, func(h vecwire.Hit) bool { return slices.Contains(strings.Fields(q.answers), h.ID) })
					if place == 0 {
						first++
					}
					if place >= 0 {
						five++
					}
				}
				return first, five
			}
			for _, search := range []struct {
				name   string
				fusion *vecwire.Fusion
				least  int
			}{
				{"full text", &vecwire.Fusion{TextOnly: true}, 0},
				{"the model", nil, set.alone},
				{"both", &vecwire.Fusion{}, set.fused},
				{"both, by relative scores", &vecwire.Fusion{Method: vecwire.Relative}, set.fused},
			} {
				first, five := answered(search.fusion)
				t.Logf("of %d questions, %s answers %d first and %d among the first five", len(set.questions), search.name, first, five)
				require.GreaterOrEqual(t, five, search.least, search.name)
			}
		})
	}
}
