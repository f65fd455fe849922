// Package ann finds the nearest vectors of a query in memory. It knows vectors
// and int32 row numbers, nothing else: no IDs, no fields, no file but snapshots of
// its own.
//
// An [Arena] holds the vectors, one row each, and once there are enough of them
// also a code of each, of seven bits an element or of four. [Arena.Search] is exact, and that is proved, not
// hoped for: it returns what sorting all rows by their [Candidate] score would.
//
// # Scores
//
// A score is a float64 computed from the arena's elements, in an order of
// operations that is the same on every CPU:
//
//   - Cosine: dot(q, x) / |x| for the normalised query q, clamped to [-1, 1]. Rows
//     are normalised when they are stored; dividing by |x| takes back what the
//     rounding of that did to the length.
//     An arena that has an [Outside], or was told [Arena.KeepGiven], holds them as they were
//     given, and divides by the length that they have.
//   - Dot: dot(q, x).
//   - L2: -|q - x|.
//
// Higher is better. Only a score beyond float64 is infinite; none is NaN.
//
// # Why the search is exact
//
// Scoring every row in float64 would cost several times a float32 scan. So the
// scan computes an approximate key a of every row with the kernels of package
// simd, and a bound e of how far the row's score, taken as a key, can be from
// it. Let T be the k-th largest a-e. Then k rows at least have keys of T or more,
// so each row of the answer, ties with the k-th included, has one too, and hence
// a+e >= T. Every such row is scored in float64; the others cannot be in the
// answer. T only grows during a scan, so a row that is dropped against the T so
// far would also be dropped against the last.
//
// The bounds follow Higham, Accuracy and Stability of Numerical Algorithms, 2nd
// ed., section 3.1. With the unit roundoff u of the element type, w = 2^-53 of
// float64, s the smallest positive element, n elements, r =
// simd.Roundings(n), g(r,u) = r*u/(1-r*u) and Cauchy-Schwarz for sum |q[i]*x[i]|:
//
//   - Dot: the key is the score. e = g(r,u)*|q||x| for the kernel + g(n,w)*|q||x|
//     for the score + n*s for what underflows.
//   - L2: the key is (|q|^2 - d^2)/2 = dot(q,x) - |x|^2/2, so that it takes one
//     dot product, and half of |x|^2 is stored with the row. e has the kernel's
//     part of Dot, u*|x|^2/2 for storing the half, u*(|q||x| + |x|^2/2) for the
//     subtraction, and g(n+6,w)*d^2/2 for the score, where d <= |q|+|x|.
//     Where vectors are outside, the product is summed as those of scores are: g(n,w)*|q||x|
//     instead of the kernel's part. The half has g(n+4,w)*|x|^2/2 of its own in float64, and
//     with that they are no more than g(n+6,w)*(|q|+|x|)^2/2.
//   - Cosine: |q| and |x| are 1 up to 2u. e has the kernel's part of Dot, u for
//     the rounding of q, u for |x| not being 1, and g(2n+8,w) twice, once for the
//     score and once for clamping it.
//     For vectors as they were given the key is a product with the inverse of |x|: u more
//     for its rounding, and u for the product's.
//
// [bounds] rounds these up to simpler terms. A row so large that a kernel could
// overflow is scored in float64 without a scan. Where the element type cannot tell
// rows apart, as with data very far from the origin, all are scored in float64:
// several times slower than a scan, and still linear.
//
// # Why codes do not change the answer
//
// A float32 scan is bound by memory. So an arena also keeps a code of each row, a
// byte an element, and a search first drops the rows of a block whose codes prove
// that their keys are below T. What is left goes through the scan above, so the
// answer is the same.
//
// A code is made by centring the vector on the mean of the data, dividing it by
// the collection's step, rotating it with an orthogonal map (signs and
// Walsh-Hadamard transforms, see [rotation]) and rounding each element to an
// integer of -64 to 63. The rotation makes outlying dimensions harmless: what one
// of them holds is spread over all. Let z be the vector after all but rounding,
// computed exactly, and c its code. With each row the error |z-c| is kept, which
// takes three parts: what rounding and cutting off did, in float64; what float32
// arithmetic did to z, at most r*2^-24*|z| for r roundings on the way of each
// element, as every step of the transform is orthogonal up to a factor; and what
// underflowed. A row that overflows on the way has an infinite error, and always
// passes. Let p be the query, treated the same way.
//
//   - L2: orthogonal maps keep distances, so |q-x| = step*|p-z|, which is at least
//     step*(|c(p)-c(x)| - |p-c(p)| - |z-c(x)|) by the triangle inequality. A key
//     of T or more means |q-x|^2 <= |q|^2 - 2T. So a row can be dropped if the
//     distance of the codes, an integer's root, is more than
//     sqrt(|q|^2-2T)/step + |p-c(p)| + |z-c(x)|.
//   - Cosine: the same, with |q| and |x| 1 up to 2u, so that |q-x|^2 is
//     2 - 2*dot(q,x) up to 16u, and dot(q,x) >= T-e.
//   - Dot: p is the query rotated, neither centred nor divided by step, and its
//     code has eight bits, signed, and a scale f of its own. With m the mean,
//     dot(q,x) = dot(q,m) + step*dot(p,z), and dot(p,z)/f differs from the
//     integer dot(c(p),c(x)) by at most |p/f|*|z-c(x)| + |p/f-c(p)|*|c(x)|. A row
//     can be dropped if with that dot(q,x) is below T-e.
//
// From the third exact search of all rows on there are also [halves] of the codes, the upper
// four bits of each element, and a search drops rows by these before it reads codes. A half
// is compared as the code h with the middle of what it leaves out, so |z-h| is at most
// |z-c| + |c-h|, and |h| at most |c| + |c-h|, which take the places of |z-c| and |c| above.
// |c-h| is computed of integers, and the largest of each block kept.
//
// Where codes are short (see [Arena.SetShortCodes]), they are halves: of a code only h is kept,
// and the error |z-h|, computed in the same way, takes the place of |z-c|. Queries have codes of
// seven bits all the same. All else that is said of codes goes for these.
//
// [sieve] computes the part of a limit that all rows of a block share in float64,
// and adds each row's own error in float32; both are widened by more than they can
// be off. Where codes pass too much, as with a query far from the data, the search
// goes on without them.
package ann
