package enginetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire"
)

// wordTexts are texts in which databases see words of their own: hosts, URLs,
// numbers with signs, forms that look the same, and scripts without spaces.
var wordTexts = map[string]string{
	"error":    "got error-404 again, see CVE-2026-2332",
	"url":      "https://user@www.example.com:8080/docs/node.js?page=7#top",
	"mail":     "Write to jo.doe+list@mail.example.org!",
	"path":     "/usr/local/lib/libfoo.so.1.2 and C:\\Temp\\report_final.txt",
	"version":  "v10.20.30-rc.4+build5",
	"music":    "AC/DC, R.E.M., don't",
	"composed": "naïve Äpfel größe",                         // NFC
	"apart":    "nai\u0308ve A\u0308pfel gro\u0308\u00dfe",  // NFD
	"wide":     "Ｆｕｌｌ　ｗｉｄｔｈ１２３ ﬁle",                         // full-width, a ligature
	"russian":  "Слава МОСКВЕ, москва",                      // capitals outside ASCII
	"greek":    "Ο ΣΊΣΥΦΟΣ",                                 // a sigma that is final in lower case
	"turkish":  "İstanbul",                                  // folds to two characters
	"chinese":  "型号XG-2000的说明，向量数据库",                        // Latin inside Han
	"japanese": "東京タワーのﾗｰﾒﾝ",                                // three scripts, half-width
	"thai":     "ภาษาไทยง่ายนิดเดียว",                       //
	"khmer":    "ភាសាខ្មែរ",                                 //
	"korean":   "한국어 문장",                                    //
	"arabic":   "السَّلامُ عليكم",                           // with marks
	"persian":  "می\u200cخواهم بروم",                        // a non-joiner
	"hindi":    "देवनागरी क्\u200dष",                        // a virama and a joiner
	"hyphen":   "soft\u00adhyphen and zero\u200bwidth",      // nothing to be seen
	"emoji":    "👩\u200d👩\u200d👧 family ❤️ 1️⃣",             // marks on no letter
	"quotes":   `it's "quoted" \ back'slash' & | ! : * ( )`, // operators of query languages
}

// fullTextWords: a word is the same on every engine, whatever the database and
// its locale make of the text.
func (s *suite) fullTextWords(t *testing.T) {
	c := s.create(t, vecwire.Schema{Dim: 2, FullText: vecwire.Words})
	var records []vecwire.Record
	for id, text := range wordTexts {
		records = append(records, vecwire.Record{ID: id, Vector: []float32{1, 1}, Text: text})
	}
	require.NoError(t, c.Upsert(t.Context(), records...))
	for question, want := range map[string]string{
		"404":                           "error",
		"2332":                          "error",
		"cve":                           "error",
		"-404":                          "error",
		"www":                           "url",
		"8080":                          "url",
		"node":                          "url",
		"JS":                            "url",
		"page":                          "url",
		"example":                       "mail url",
		"doe":                           "mail",
		"list":                          "mail",
		"libfoo":                        "path",
		"local":                         "path",
		"report":                        "path",
		"temp":                          "path",
		"30":                            "version",
		"rc":                            "version",
		"v10":                           "version",
		"10":                            "",
		"dc":                            "music",
		"e":                             "music",
		"don":                           "music",
		"don't":                         "music",
		"naïve":                         "apart composed",
		"nai\u0308ve":                   "apart composed",
		"ÄPFEL":                         "apart composed",
		"GRÖSSE":                        "apart composed",
		"apfel":                         "",
		"full":                          "wide",
		"WIDTH123":                      "wide",
		"file":                          "wide",
		"МОСКВА":                        "russian",
		"москве":                        "russian",
		"слава":                         "russian",
		"Σίσυφος":                       "greek",
		"σίσυφοσ":                       "greek",
		"İSTANBUL":                      "turkish",
		"XG-2000":                       "chinese",
		"向量":                            "chinese",
		"数据库":                           "chinese",
		"的说明":                           "chinese",
		"号的":                            "",
		"タワー":                           "japanese",
		"東京":                            "japanese",
		"ラーメン":                          "japanese",
		"ไทย":                           "thai",
		"นิดเดียว":                      "thai",
		"ខ្មែរ":                         "khmer",
		"한국어":                           "korean",
		"\u1112\u1161\u11ab국어":          "korean",
		"السَّلامُ":                     "arabic",
		"میخواهم":                       "persian",
		"देवनागरी":                      "hindi",
		"क्ष":                           "hindi",
		"softhyphen":                    "hyphen",
		"zerowidth":                     "hyphen",
		"family":                        "emoji",
		"❤️ 👩\u200d👧 \u0301":            "",
		"quoted":                        "quotes",
		"back":                          "quotes",
		"slash":                         "quotes",
		`' " \ & | ! : * ( ) <-> $1 \'`: "path", // no operators, and a number
	} {
		found := searchIDs(t, c, byText(question, len(records)))
		slices.Sort(found)
		require.Equal(t, want, strings.Join(found, " "), "%q", question)
	}
}
