#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "experiment/spec.h"

#include "test/laws.h"
#include "test/spec_texts.h"
#include "test/suite.h"

TEST_SUITE(spec_refusals);

#define UNIT(rest) GAUSSIAN("variance: 1, " rest)
#define GAUSSIAN(rest) "targets: [{name: g, kind: gaussian, " rest "}]\n" TAIL
#define NAMED(name) "targets: [{name: " name ", kind: gaussian, variance: 1}]\n" TAIL
#define MIXED(rest) "targets:\n- name: m\n  kind: mixture\n  " rest "\n" TAIL
#define SUM(rest) "targets:\n- name: s\n  kind: direct-sum\n  " rest "\n" TAIL
#define STUDENT(rest) "targets:\n- {name: t, kind: student-t, " rest "}\n" TAIL
#define AND(rest) TARGETS TAIL rest "\n"
#define SAMPLED(list) TARGETS "samplers: " list "\n" DIMENSIONS STEPS
#define SIZED(list) TARGETS SAMPLERS "dimensions: " list "\n" STEPS
#define STEPPED(list) TARGETS SAMPLERS DIMENSIONS "steps: " list "\n"
#define SCHEDULE(rest) "schedule: {" rest "}\n" TARGETS TAIL
#define TITLE(title) "title: " title "\n" TARGETS TAIL
#define PLANE "targets:\n- name: p\n  kind: mixture-plane\n  weights: [0.5, 0.5]\n"

static const struct bad {
    const char *text;
    int line, column;
    const char *message;
} bad_texts[] = {
    /* The document. */
    {"", 1, 1, "the file is empty, expected a mapping"},
    {"# only a comment\n", 1, 1, "the file is empty"},
    {"--- \n", 2, 1, "expected a mapping, found nothing"},
    {"hello\n", 1, 1, "expected a mapping, found 'hello'"},
    {"hello\n\n\nthere\n", 1, 1, "expected a mapping, found 'hello...'"},
    /* Titles. */
    {TITLE("\"a\\nb\""), 1, 8, "found a control character, expected a title on one line"},
    {TITLE("\"a\\eb\""), 1, 8, "found a control character"},
    {TITLE("\"a\\x9Bb\""), 1, 8, "found a control character"},
    {TITLE("\"a\\Lb\""), 1, 8, "found a control character"},
    {TITLE("\"a\\0b\""), 1, 8, "found a control character"},
    {TITLE("a\xE2\x80\xAE_"), 1, 8, "found a control character"},
    {TITLE("a\xE2\x81\xA6_"), 1, 8, "found a control character"},
    {TITLE("a\xFF"), 1, 9, "not valid YAML: invalid leading UTF-8 octet"},
    {"\"ti\\etle\": x\n" TARGETS TAIL, 1, 1, "found a control character, expected a key on one line"},
    {"- a\n", 1, 1, "expected a mapping, found a list"},
    {TARGETS TAIL "---\n" TARGETS TAIL, 5, 1, "found a second document, expected one"},
    {AND("...\n---\nx"), 6, 1, "found a second document"},
    {TARGETS "samplers: [ddpm\ndimensions: [1]\n", 3, 11, "not valid YAML: while parsing a flow sequence"},
    {TARGETS "samplers: @\n", 2, 11, "not valid YAML: while scanning for the next token"},
    {TARGETS "  samplers: [ddpm]\n", 2, 3, "not valid YAML: "},
    {"title: \"\xC3\xA9\"\nsteps: \xFF\n", 2, 8, "not valid YAML: invalid leading UTF-8 octet"},
    {"title: \xC3\xA9\x01\n", 1, 9, "not valid YAML: control characters are not allowed"},
    {TITLE("&a x"), 1, 8, "aliases are not supported"},
    {TARGETS "samplers: &s [ddpm]\ndimensions: [1]\nsteps: [64]\n", 2, 11, "aliases are not supported"},
    {TITLE("*a"), 1, 8, "aliases are not supported"},
    {"steps: &a [*a]\n", 1, 8, "aliases are not supported"},
    {"a: &a {<<: *a}\n", 1, 4, "aliases are not supported"},
    {TARGETS SAMPLERS "dimensions: [!!int 1]\nsteps: [64]\n", 3, 14, "tags are not supported"},
    /* Samples. */
    {AND("samples: 3"), 5, 10, "expected a mapping"},
    {AND("samples: {}"), 5, 10, "missing key 'chains'"},
    {AND("samples: {chains: 511}"), 5, 19, "expected an integer from 512 to 268435456, found '511'"},
    {AND("samples: {chains: [1000, 1000]}"), 5, 26, "duplicate number of chains '1000'"},
    {AND("samples: {chains: [1000, 1e3]}"), 5, 26, "1e3"},
    {AND("samples: {chains: 300000000}"), 5, 19, "expected an integer from 512 to 268435456, found '300000000'"},
    {AND("samples: {chains: 1000, methods: [knm]}"), 5, 35, "did you mean 'knn'?"},
    {AND("samples: {chains: 1000, methods: [knn, knn]}"), 5, 40, "duplicate method 'knn'"},
    {AND("samples: {chains: 1000, directions: 1001}"), 5, 37, "expected an integer from 0 to 1000, found '1001'"},
    {AND("samples: {chains: 1000, seed: -1}"), 5, 31, "-1"},
    {AND("samples: {chains: 1000, seeds: 1}"), 5, 25, "did you mean 'seed'?"},
    {TARGETS SAMPLERS DIMENSIONS "accuracies: [0.1]\n" CHAINS, 5, 10, "missing key 'steps'"},
    {RANDOM("components: 5, spread: 1, sd: 1") EVEN, 1, 11, "target r, d = 8: no exact engine for 5 components"},
    {RANDOM("components: 5, spread: 1, sd: 1") EVEN CHAINS "accuracies: [0.1]\n", 1, 11, "no exact engine"},
    {RANDOM("components: 0, spread: 1, sd: 1") EVEN CHAINS, 1, 55, "expected an integer from 1"},
    {RANDOM("components: 10001, spread: 1, sd: 1") EVEN CHAINS, 1, 55,
     "expected an integer from 1 to 10000, found '10001'"},
    {RANDOM("components: 5, spread: 0, sd: 1") EVEN CHAINS, 1, 66, "a number > 0"},
    {RANDOM("components: 5, spread: 1, sd: 1, condition: 0.9") EVEN CHAINS, 1, 87, "a number >= 1"},
    {RANDOM("components: 5, spread: 1, sd: 1, covariances: full") EVEN CHAINS, 1, 89, "isotropic, shared, each"},
    {RANDOM("components: 10000, spread: 1, sd: 1, covariances: each") SAMPLERS "dimensions: [1024]\n" STEPS CHAINS, 3,
     13, "asks for 1e+10 eigenvalues, means and matrix entries"},
    {FULL("[[[1, 0.5], [0.4, 1]]]") EVEN CHAINS, 6, 29, "found 0.4, but 0.5 across the diagonal"},
    {FULL("[[[1, 0.5]]]") EVEN CHAINS, 6, 17, "found a matrix of 1 rows, expected 2"},
    {FULL("[[[1], [0.5]]]") EVEN CHAINS, 6, 18, "found a point of 1 coordinates, expected 2"},
    {FULL("[[[1, 0], [0, 1]], [[1, 0], [0, 1]], [[1, 0], [0, 1]]]") EVEN CHAINS, 6, 16,
     "found 3 matrices, expected 1 or 2"},
    {FULL("[[[1, 0], [0, 1]]]") SAMPLERS "dimensions: [3]\n" STEPS CHAINS, 8, 13, "do not fill dimension 3"},
    /* Keys. */
    {AND("step: [3]"), 5, 1,
     "unknown key 'step', expected one of: title, plugins, schedule, targets, samplers, dimensions, steps, "
     "score_errors, samples, accuracy_in, accuracies, max_steps, claims; did you mean 'steps'?"},
    {AND("sampler: 1"), 5, 1, "max_steps, claims; did you mean 'samplers'?"},
    {AND("maxsteps: 9"), 5, 1, "did you mean 'max_steps'?"},
    {AND("colour: 1"), 5, 1, "unknown key 'colour', expected one of: title"},
    {AND("<<: {a: 1}"), 5, 1, "unknown key '<<'"},
    {AND("? [a]\n: 1"), 5, 3, "expected a key, found a list"},
    {AND("~: 1"), 5, 1, "expected a key, found nothing"},
    {AND("\"\": 1"), 5, 1, "expected a key, found an empty string"},
    {AND("\"steps\\0\": 1"), 5, 1, "found a control character, expected a key on one line"},
    {AND("steps: [4]"), 5, 1, "duplicate key 'steps', first given on line 4, column 1"},
    {AND("\"steps\": [4]"), 5, 1, "duplicate key 'steps'"},
    {SAMPLERS DIMENSIONS STEPS, 1, 1, "missing key 'targets'"},
    {"\n" TARGETS DIMENSIONS STEPS, 2, 1, "missing key 'samplers'"},
    {TARGETS SAMPLERS STEPS, 1, 1, "missing key 'dimensions'"},
    {TARGETS SAMPLERS DIMENSIONS, 1, 1, "missing key 'steps' or 'accuracies', expected at least one of them"},
    /* title */
    {"title:\n" TARGETS TAIL, 1, 7, "expected a title, found nothing"},
    {TITLE("''"), 1, 8, "expected a title, found an empty string"},
    {TITLE("NULL"), 1, 8, "expected a title, found nothing"},
    {TITLE("[a]"), 1, 8, "expected a title, found a list"},
    {TITLE("{a: b}"), 1, 8, "expected a title, found a mapping"},
    {TITLE("\"a\\nb\""), 1, 8, "found a control character, expected a title on one line"},
    {TITLE("|\n  a"), 1, 8, "found a control character"},
    {"title: " LONG_TITLE "+\n" TARGETS TAIL, 1, 8, "found a title of 200 bytes, expected at most 199"},
    /* schedule */
    {"schedule: cosin\n" TARGETS TAIL, 1, 11, "unknown schedule 'cosin', expected one of: li-cai, li-yan, "},
    {"schedule: cosin\n" TARGETS TAIL, 1, 11, "did you mean 'cosine'?"},
    {"schedule: [cosine, li-cay]\n" TARGETS TAIL, 1, 20, "did you mean 'li-cai'?"},
    {"schedule: [cosine, cosine]\n" TARGETS TAIL, 1, 20, "found the schedule 'cosine' twice"},
    {"schedule: table\n" TARGETS TAIL, 1, 11, "missing key 'file'"},
    {"schedule:\n" TARGETS TAIL, 1, 10, "expected a schedule, found nothing"},
    {"schedule: [[cosine]]\n" TARGETS TAIL, 1, 12, "expected a schedule, found a list"},
    {SCHEDULE("c0: 1"), 1, 11, "missing key 'kind'"},
    {SCHEDULE("kind: sine"), 1, 18,
     "unknown schedule 'sine', expected one of: li-cai, li-yan, exponential, linear-beta, cosine, karras, table"},
    {SCHEDULE("kind: licai"), 1, 18, "did you mean 'li-cai'?"},
    {SCHEDULE("kind: li-cai, c2: 1"), 1, 26, "unknown key 'c2', expected one of: kind, c0, c1"},
    {SCHEDULE("kind: li-cai, c0: 0"), 1, 30, "expected a number in (0, 1000), found '0'"},
    {SCHEDULE("kind: li-cai, c1: -1.5"), 1, 30, "expected a number in (0, 1000), found '-1.5'"},
    {SCHEDULE("kind: li-cai, c1: [1, 0]"), 1, 34, "expected a number in (0, 1000), found '0'"},
    {SCHEDULE("kind: li-yan, c0: 1.0e-3, c1: 1.0e+7"), 1, 42, "in (0, 1000), found '1.0e+7'"},
    {SCHEDULE("kind: li-cai, kind: li-yan"), 1, 26, "duplicate key 'kind'"},
    /* targets */
    {"targets: {name: g}\n" TAIL, 1, 10, "expected a non-empty list, found a mapping"},
    {"targets: []\n" TAIL, 1, 10, "expected a non-empty list, found an empty list"},
    {"targets:\n" TAIL, 1, 9, "expected a non-empty list, found nothing"},
    {"targets: [g]\n" TAIL, 1, 11, "expected a mapping, found 'g'"},
    {"targets:\n  - name: g\n    variance: 1\n" TAIL, 2, 5, "missing key 'kind'"},
    {"targets:\n  - kind: gaussian\n    variance: 1\n" TAIL, 2, 5, "missing key 'name'"},
    {"targets:\n  - name: g\n    kind: gausian\n" TAIL, 3, 11,
     "unknown target kind 'gausian', expected one of: gaussian, mixture, mixture-plane, rings, checkerboard, "
     "two-moons, pinwheel, gmm-25, gmm-40, student-t, laplace, uniform, exponential, double-well, logistic, "
     "tabulated, mixture-full, mixture-random, subspaces, radial, axis, codebook, curie-weiss, points, direct-sum; "
     "did you mean 'gaussian'?"},
    {"targets:\n  - name: g\n    kind: [gaussian]\n" TAIL, 3, 11, "expected a target kind, found a list"},
    {UNIT("copies: 1"), 1, 50, "unknown key 'copies', expected one of: name, kind, mean, variance, spectrum"},
    {GAUSSIAN("varience: 1"), 1, 37, "did you mean 'variance'?"},
    {"targets: [{name: g, kind: gmm-40, rnage: 1}]\n" TAIL, 1, 35, "did you mean 'range'?"},
    {UNIT("variance: 2"), 1, 50, "duplicate key 'variance', first given on line 1, column 37"},
    {"targets:\n- {name: g, kind: gaussian, variance: 1}\n- {name: h, kind: gaussian, variance: 1}\n- {kind: "
     "gaussian, variance: 1, name: g}\n" TAIL,
     4, 39, "duplicate target name 'g', first given on line 2, column 10"},
    {NAMED("-g"), 1, 18, "starts with a letter or digit, found '-g'"},
    {NAMED(".g"), 1, 18, "starts with a letter or digit"},
    {NAMED("a/b"), 1, 18, "expected a name of [A-Za-z0-9._-]"},
    {NAMED("a b"), 1, 18, "expected a name of [A-Za-z0-9._-]"},
    {NAMED("\"\""), 1, 18, "expected a name, found an empty string"},
    {NAMED("null"), 1, 18, "expected a name, found nothing"},
    {"targets: [{name: \xC3\xA9, kind: gaussian, variance: x}]\n" TAIL, 1, 47, "expected a number > 0, found 'x'"},
    {"targets: [{name: " LONG_NAME "+, kind: gaussian, variance: 1}]\n" TAIL, 1, 18,
     "found a name of 64 bytes, expected at most 63"},
    /* gaussian */
    {GAUSSIAN("variance: 0"), 1, 47, "expected a number > 0, found '0'"},
    {GAUSSIAN("variance: -1"), 1, 47, "expected a number > 0, found '-1'"},
    {GAUSSIAN("variance: \"1\""), 1, 47, "expected a number > 0, found a quoted string"},
    {GAUSSIAN("variance: {a: 1}"), 1, 47, "found a mapping"},
    {GAUSSIAN("variance: 1e-400"), 1, 47, "that double precision can hold"},
    {GAUSSIAN("variance: 1e400"), 1, 47, "precision can hold, found '1e400'"},
    {UNIT("mean: "), 1, 56, "expected a number, found nothing"},
    {UNIT("mean: -1e999"), 1, 56, "double precision can hold"},
    {UNIT("mean: 1e-2x"), 1, 56, "a number, found '1e-2x'"},
    {UNIT("mean: .nan"), 1, 56, "a number, found '.nan'"},
    {UNIT("mean: nan"), 1, 56, "a number, found 'nan'"},
    {UNIT("mean: -inf"), 1, 56, "a number, found '-inf'"},
    {UNIT("mean: .inf"), 1, 56, "a number, found '.inf'"},
    {UNIT("mean: 0x10"), 1, 56, "a number, found '0x10'"},
    {UNIT("mean: 1."), 1, 56, "a number, found '1.'"},
    {UNIT("mean: 5."), 1, 56, "a number, found '5.'"},
    {UNIT("mean: 1e"), 1, 56, "a number, found '1e'"},
    {UNIT("mean: 1e+"), 1, 56, "a number, found '1e+'"},
    {UNIT("mean: +-1"), 1, 56, "a number, found '+-1'"},
    {UNIT("mean: -"), 1, 56, "a number, found '-'"},
    {UNIT("mean: 1_000"), 1, 56, "a number, found '1_000'"},
    {UNIT("mean: 1 2"), 1, 56, "a number, found '1 2'"},
    {UNIT("mean: true"), 1, 56, "a number, found 'true'"},
    {UNIT("spectrum: steep"), 1, 60, "unknown spectrum 'steep', expected one of: flat, power, k-of-d"},
    {UNIT("spectrum: power"), 1, 60, "missing key 'exponent'"},
    {UNIT("spectrum: {k: 1}"), 1, 60, "missing key 'kind'"},
    {UNIT("spectrum: {kind: steep}"), 1, 67, "unknown spectrum 'steep', expected one of: flat, power, k-of-d"},
    {UNIT("spectrum: {kind: power}"), 1, 60, "missing key 'exponent'"},
    {UNIT("spectrum: {kind: power, exponent: 0}"), 1, 84, "expected a number > 0, found '0'"},
    {UNIT("spectrum: {kind: k-of-d}"), 1, 60, "missing key 'k'"},
    {UNIT("spectrum: {kind: k-of-d, k: 0}"), 1, 78, "expected an integer from 1 to 2^53, found '0'"},
    {UNIT("spectrum: {kind: k-of-d, k: 1.5}"), 1, 78, "found '1.5'"},
    {UNIT("spectrum: {kind: flat, k: 1}"), 1, 73, "unknown key 'k', expected one of: kind"},
    {UNIT("spectrum: {kind: power, exponent: 1, kind: flat}"), 1, 87, "duplicate key 'kind'"},
    /* mixture */
    {MIXED("weights: [1]\n  means: [0]"), 2, 3, "missing key 'sds'"},
    {MIXED("weights: 1\n  means: [0]\n  sds: [1]"), 4, 12, "expected a non-empty list or the word equal, found '1'"},
    {MIXED("weights: [1]\n  means: []\n  sds: [1]"), 5, 10, "expected a non-empty list, found an empty list"},
    {MIXED("weights: [0.5, 0.6]\n  means: [0, 1]\n  sds: [1, 1]"), 4, 12,
     "the weights sum to 1.1, expected 1 within 1e-9"},
    {MIXED("weights: [0.5, 0.500000002]\n  means: [0, 1]\n  sds: [1, 1]"), 4, 12,
     "the weights sum to 1.000000002, expected 1"},
    {MIXED("weights: [1.0e308, 1.0e308]\n  means: [0, 1]\n  sds: [1, 1]"), 4, 12,
     "the weights sum to inf, expected 1"},
    {MIXED("weights: [0, 1]\n  means: [0, 1]\n  sds: [1, 1]"), 4, 13, "expected a number > 0, found '0'"},
    {MIXED("weights: [-1, 2]\n  means: [0, 1]\n  sds: [1, 1]"), 4, 13, "expected a number > 0, found '-1'"},
    {MIXED("weights: [0.5, 0.5]\n  means: [0, 1, 2]\n  sds: [1, 1]"), 5, 10,
     "'means' has length 3 but 'weights' has length 2, expected equal lengths"},
    {MIXED("sds: [1]\n  weights: [0.5, 0.5]\n  means: [0, 1]"), 4, 8,
     "'sds' has length 1 but 'weights' has length 2"},
    {MIXED("weights: [1]\n  means: [~]\n  sds: [1]"), 5, 11, "expected a number, found nothing"},
    {MIXED("weights: [1]\n  means: [[0]]\n  sds: [1]"), 5, 11, "expected a number, found a list"},
    {MIXED("weights: [1]\n  means: [0]\n  sds: [-0.1]"), 6, 9, "expected a number >= 0, found '-0.1'"},
    {MIXED("weights: [0.5, 0.5]\n  means: [0, 1]\n  sds: [0, -1.0e-300]"), 6, 12,
     "expected a number >= 0, found '-1.0e-300'"},
    /* mixture-plane */
    {PLANE "  means: [0, 1]\n  sds: [1, 1]\n" EVEN, 5, 11, "expected a non-empty list, found '0'"},
    {PLANE "  means: []\n  sds: [1, 1]\n" EVEN, 5, 10, "expected a non-empty list, found an empty list"},
    {PLANE "  means: [[0, 1], []]\n  sds: [1, 1]\n" EVEN, 5, 19, "expected a non-empty list, found an empty list"},
    {PLANE "  means: [[0, 1], [1]]\n  sds: [1, 1]\n" EVEN, 5, 19, "found a point of 1 coordinates, expected 2"},
    {PLANE "  means: [[0, 1, 2], [1]]\n  sds: [1, 1]\n" EVEN, 5, 11, "found a point of 3 coordinates, expected 2"},
    {PLANE "  means: [[0, 1], [1, [2]]]\n  sds: [1, 1]\n" EVEN, 5, 23, "expected a number, found a list"},
    {PLANE "  means: [[0, 1], [1, nan]]\n  sds: [1, 1]\n" EVEN, 5, 23, "expected a number, found 'nan'"},
    {PLANE "  means: [[0, 1]]\n  sds: [1, 1]\n" EVEN, 5, 10,
     "'means' has length 1 but 'weights' has length 2, expected equal lengths"},
    {PLANE "  means: [[0, 1], [1, 2]]\n  sds: [1]\n" EVEN, 6, 8, "'sds' has length 1 but 'weights' has length 2"},
    {PLANE "  means: [[0, 1], [1, 2]]\n" EVEN, 2, 3, "missing key 'sds'"},
    {PLANE "  means: [[0, 1], [1, 2]]\n  sds: [1, 1]\n" SAMPLERS "dimensions: [2, 7, 4]\n" STEPS, 8, 13,
     "target p: a mixture in the plane fills pairs of coordinates, and dimension 7 is odd"},
    /* student-t */
    {"targets:\n- {name: t, kind: student-t}\n" TAIL, 2, 3, "missing key 'nu'"},
    {STUDENT("nu: 2"), 2, 34, "expected a number > 2, found '2'"},
    {STUDENT("nu: -3"), 2, 34, "expected a number > 2, found '-3'"},
    {STUDENT("nu: 3, scale: 0"), 2, 44, "expected a number > 0, found '0'"},
    {STUDENT("nu: 3, components: 3"), 2, 49, "expected an integer from 4 to 200, found '3'"},
    {STUDENT("nu: 3, components: 201"), 2, 49, "expected an integer from 4 to 200, found '201'"},
    {STUDENT("nu: 3, sds: [1]"), 2, 37, "unknown key 'sds', expected one of: name, kind, nu, scale, components"},
    {"targets: [{name: t, kind: student-t, nu: 1.0e+7}]\n" TAIL, 3, 13,
     "is a Gaussian to rounding, expected nu <= 1e+06"},
    /* direct-sum */
    {"targets:\n- name: s\n  kind: direct-sum\n" TAIL, 2, 3, "missing key 'factors'"},
    {SUM("factors: []"), 4, 12, "expected a non-empty list"},
    {SUM("factors: [{kind: gaussian, variance: 1}]"), 4, 13, "missing key 'copies'"},
    {SUM("factors: [{kind: gaussian, variance: 1, copies: rest, name: x}]"), 4, 57,
     "unknown key 'name', expected one of: copies, kind, mean, variance, spectrum"},
    {SUM("factors: [{kind: gaussian, variance: 1, copies: 2}]"), 4, 12,
     "found no part with 'copies: rest', expected one"},
    {SUM("factors:\n  - {kind: gaussian, variance: 1, copies: rest}\n  - {kind: gaussian, variance: 2, copies: "
         "rest}"),
     6, 43, "duplicate value 'rest', first given on line 5, column 43"},
    {SUM("factors: [{kind: gaussian, variance: 1, copies: 0}]"), 4, 51,
     "expected an integer from 1 to 2^53, or rest, found '0'"},
    {SUM("factors: [{kind: gaussian, variance: 1, copies: \"rest\"}]"), 4, 51, "or rest, found a quoted string"},
    {SUM("factors: [{kind: gaussian, variance: 1, copies: all}]"), 4, 51, "or rest, found 'all'"},
    {SUM("factors: [{kind: direct-sum, copies: rest, factors: []}]"), 4, 20,
     "a part may not be of kind 'direct-sum', which has parts itself"},
    {SUM("factors:\n  - {kind: mixture, weights: [1], means: [1], sds: [1], copies: 1}\n  - {kind: mixture, weights: "
         "[0.9], means: [1], sds: [1], copies: rest}"),
     6, 30, "the weights sum to 0.9"},
    /* samplers */
    {SAMPLED("ddpm"), 2, 11, "expected a non-empty list, found 'ddpm'"},
    {SAMPLED("[]"), 2, 11, "expected a non-empty list, found an empty list"},
    {TARGETS "samplers:\n- ddpm\n- foo\n" DIMENSIONS STEPS, 4, 3,
     "unknown sampler 'foo', expected one of: ddpm, ddpm-outside, ddpm-ancestral, accelerated"},
    {SAMPLED("[ddmp]"), 2, 12, "did you mean 'ddpm'?"},
    {SAMPLED("[ddpm, accelerated, ddpm]"), 2, 31, "duplicate sampler 'ddpm', first given on line 2, column 12"},
    {TARGETS "samplers: [ddpm, ]\ndimensions: [1, , 2]\n" STEPS, 3, 17, "not valid YAML: "},
    {SAMPLED("[[ddpm]]"), 2, 12, "expected a sampler, found a list"},
    {SAMPLED("[\"\"]"), 2, 12, "expected a sampler, found an empty string"},
    {SAMPLED("[{overshoot: 1}]"), 2, 12, "missing key 'kind'"},
    {SAMPLED("[{kind: acelerated}]"), 2, 19, "did you mean 'accelerated'?"},
    {SAMPLED("[{kind: accelerated, omega: 1}]"), 2, 32,
     "unknown key 'omega', expected one of: kind, name, overshoot"},
    {SAMPLED("[{kind: ddpm, overshoot: 1}]"), 2, 25, "unknown key 'overshoot', expected one of: kind, name"},
    {SAMPLED("[{kind: accelerated, overshoot: -0.5}]"), 2, 43, "expected a number >= 0, found '-0.5'"},
    {SAMPLED("[{kind: accelerated, overshoot: [0, -1]}]"), 2, 47, "expected a number >= 0, found '-1'"},
    {SAMPLED("[{kind: accelerated, overshoot: 0, name: a b}]"), 2, 52, "expected a name of"},
    {SAMPLED("[{kind: accelerated, overshoot: 0, name: ddpm}]"), 2, 52,
     "'ddpm' is the name of a sampler without parameters of its own, expected another"},
    {SAMPLED("[accelerated, {kind: accelerated, overshoot: 1}]"), 2, 25, "duplicate sampler"},
    {SAMPLED("[{kind: accelerated, overshoot: 0}, {kind: accelerated, overshoot: 0}]"), 2, 47, "duplicate sampler"},
    {TARGETS "samplers: [ddpm, {kind: accelerated, overshoot: 4}]\n" DIMENSIONS "steps: [64, 65536]\n", 2, 18,
     "T = 64: sampler accelerated-overshoot-4: in step t = "},
    /* dimensions, steps, max_steps */
    {SIZED("4"), 3, 13, "expected a non-empty list, found '4'"},
    {SIZED("[]"), 3, 13, "expected a non-empty list, found an empty list"},
    {SIZED("[0]"), 3, 14, "expected an integer from 1 to 2^53, found '0'"},
    {SIZED("[-3]"), 3, 14, "found '-3'"},
    {SIZED("[+3]"), 3, 14, "found '+3'"},
    {SIZED("[25e-1]"), 3, 14, "found '25e-1'"},
    {SIZED("[1.5]"), 3, 14, "found '1.5'"},
    {SIZED("[0x10]"), 3, 14, "found '0x10'"},
    {SIZED("[010]"), 3, 14, "found '010'"},
    {SIZED("['16']"), 3, 14, "found a quoted string"},
    {SIZED("[{a: 1}]"), 3, 14, "found a mapping"},
    {SIZED("[null]"), 3, 14, "found nothing"},
    {SIZED("[9007199254740993]"), 3, 14, "found '9007199254740993'"},
    {SIZED("[18446744073709551617]"), 3, 14, "found '18446744073709551617'"},
    {TARGETS SAMPLERS "dimensions:\n  - 4\n  - 16\n  - 4\n" STEPS, 6, 5,
     "duplicate dimension '4', first given on line 4, column 5"},
    {STEPPED("[4, 1]"), 4, 12, "expected an integer from 2 to 10000000"},
    {STEPPED("[]"), 4, 8, "expected a non-empty list"},
    {STEPPED("[4, 8, 4]"), 4, 15, "duplicate number of steps '4'"},
    {STEPPED("~\naccuracies: [0.1]"), 4, 8, "expected a non-empty list, found nothing"},
    {STEPPED("[64, 16]"), 4, 13, "the smallest admissible T is 29"},
    {STEPPED("[10000001]"), 4, 9, "expected an integer from 2 to 10000000, or a form in d"},
    {TARGETS SAMPLERS DIMENSIONS "schedule: {kind: li-cai, c1: 2.75}\nsteps: [4, 3, 64]\n", 5, 12,
     "does not exist at T = 3"},
    {STEPPED("[1024, 64, 16, 20]"), 4, 19, "does not exist at T = 16"},
    {AND("max_steps: 20"), 5, 12, "the smallest admissible T is 29"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: k-of-d, k: 5}}]\n" SAMPLERS
     "dimensions: [8, 4]\n" STEPS,
     3, 13, "need dimension at least 5, not 4"},
    {AND("max_steps: 1"), 5, 12, "expected an integer from 2 to 10000000, found '1'"},
    {AND("max_steps: [4]"), 5, 12, "found a list"},
    /* score_errors */
    {AND("score_errors: []"), 5, 15, "expected a non-empty list, found an empty list"},
    {AND("score_errors: {shape: none}"), 5, 15, "expected a non-empty list, found a mapping"},
    {AND("score_errors:"), 5, 14, "expected a non-empty list, found nothing"},
    {AND("score_errors: [wave]"), 5, 16, "expected a mapping, found 'wave'"},
    {AND("score_errors: [non]"), 5, 16, "did you mean 'none'?"},
    {AND("score_errors: [{size: 1}]"), 5, 16, "missing key 'shape'"},
    {AND("score_errors: [{shape: wav, size: 1}]"), 5, 24,
     "unknown shape 'wav', expected one of: none, bias, linear, wave, bump, sign; did you mean 'wave'?"},
    {AND("score_errors: [{shape: [wave], size: 1}]"), 5, 24, "expected a shape, found a list"},
    {AND("score_errors: [{shape: null}]"), 5, 24, "expected a shape, found nothing"},
    {AND("score_errors: [{shape: none, size: 1}]"), 5, 30, "unknown key 'size', expected one of: shape"},
    {AND("score_errors: [{shape: bias, sizes: 1}]"), 5, 30,
     "unknown key 'sizes', expected one of: shape, size, spread, profile, growth; did you mean 'size'?"},
    {AND("score_errors: [{shape: bias, shape: wave}]"), 5, 30, "duplicate key 'shape'"},
    {AND("score_errors: [{shape: bias, size: 1, roughness: 1}]"), 5, 39, "unknown key 'roughness'"},
    {AND("score_errors: [{shape: wave, size: 1, roughness: 1, probability: 0.1}]"), 5, 53,
     "unknown key 'probability', expected one of: shape, size, spread, profile, growth, roughness"},
    {AND("score_errors: [{shape: bump, size: 1, roughness: 1, probability: 0.1}]"), 5, 39,
     "unknown key 'roughness', expected one of: shape, size, spread, profile, growth, probability"},
    {AND("score_errors: [{shape: none}, {shape: bias}]"), 5, 31, "missing key 'size'"},
    {AND("score_errors: [{shape: bias, size: 0}]"), 5, 36, "expected a number > 0, found '0'"},
    {AND("score_errors: [{shape: bias, size: -0.1}]"), 5, 36, "expected a number > 0, found '-0.1'"},
    {AND("score_errors: [{shape: bias, size: nan}]"), 5, 36, "expected a number > 0, found 'nan'"},
    {AND("score_errors: [{shape: bias, size: .inf}]"), 5, 36, "expected a number > 0, found '.inf'"},
    {AND("score_errors: [{shape: bias, size: 1e400}]"), 5, 36, "that double precision can hold"},
    {AND("score_errors: [{shape: bias, size: small}]"), 5, 36, "expected a number > 0, found 'small'"},
    {AND("score_errors: [{shape: bias, size: '1'}]"), 5, 36, "found a quoted string"},
    {AND("score_errors: [{shape: bias, size: {a: 1}}]"), 5, 36, "expected a number > 0, found a mapping"},
    {AND("score_errors: [{shape: bias, size: }]"), 5, 36, "expected a number > 0, found nothing"},
    {AND("score_errors: [{shape: bias, size: []}]"), 5, 36, "expected a non-empty list, found an empty list"},
    {AND("score_errors: [{shape: bias, size: [1, 0]}]"), 5, 40, "expected a number > 0, found '0'"},
    {AND("score_errors: [{shape: bias, size: [1, [2]]}]"), 5, 40, "expected a number > 0, found a list"},
    {AND("score_errors: [{shape: bias, size: [0.1, 0.2, 1.0e-1]}]"), 5, 47,
     "duplicate size '1.0e-1', first given on line 5, column 37"},
    {AND("score_errors: [{shape: wave, size: 1}]"), 5, 16, "missing key 'roughness'"},
    {AND("score_errors: [{shape: wave, size: 1, roughness: 0}]"), 5, 50,
     "expected a number in (0, 10000], for a law takes time in proportion to it, found '0'"},
    {AND("score_errors: [{shape: wave, size: 1, roughness: [2, -2]}]"), 5, 54, "in proportion to it, found '-2'"},
    {AND("score_errors: [{shape: wave, size: 1, roughness: [2, 2]}]"), 5, 54, "duplicate roughness '2'"},
    {AND("score_errors: [{shape: bump, size: 1}]"), 5, 16, "missing key 'probability'"},
    {AND("score_errors: [{shape: bump, size: 1, probability: 0}]"), 5, 52,
     "expected a number in (0, 0.5), found '0'"},
    {AND("score_errors: [{shape: bump, size: 1, probability: [0.1, 0.5]}]"), 5, 58,
     "expected a number in (0, 0.5), found '0.5'"},
    {AND("score_errors: [{shape: bias, size: 1, spread: two}]"), 5, 47,
     "unknown spread 'two', expected one of: all, one, diagonal"},
    {AND("score_errors: [{shape: bias, size: 1, spread: [all]}]"), 5, 47, "expected a spread, found a list"},
    {AND("score_errors: [{shape: bias, size: 1, profile: middle}]"), 5, 48,
     "unknown profile 'middle', expected one of: uniform, early, late, relative"},
    {AND("score_errors: [{shape: bias, size: 1, growth: fast}]"), 5, 47, "expected a number, found 'fast'"},
    {AND("score_errors: [{shape: bias, size: 1, growth: [1]}]"), 5, 47, "expected a number, found a list"},
    {"targets: [{name: a-target-with-a-name-of-more-than-fifty-characters-in-all, kind: gaussian, variance: [1, "
     "1.25e-10]}]\n" TAIL,
     1, 18, "made of values, is too long, expected at most 63 bytes"},
    {AND("score_errors:\n- {shape: none}\n- {shape: bias, size: 1}\n- {shape: none}"), 8, 3,
     "duplicate score error 'none', first given on line 6, column 3"},
    {AND("score_errors:\n- {shape: wave, size: [1, 0.5], roughness: [1, 2]}\n- {shape: wave, size: 1, roughness: "
         "4}\n- {shape: wave, size: 0.5, roughness: [8, 2.0]}"),
     8, 3, "duplicate score error 'wave 0.5 roughness=2 all', first given on line 6, column 3"},
    {AND("score_errors:\n- {shape: bias, size: 1, growth: -0.0}\n- {shape: bias, size: 1.0, spread: all}"), 7, 3,
     "duplicate score error 'bias 1 all', first given on line 6, column 3"},
    {MIXTURE SAMPLERS "dimensions: [8, 1]\n" STEPS
                      "score_errors:\n- {shape: bias, size: 1}\n- {shape: linear, size: [1, 2], spread: diagonal}\n",
     7, 3, "target m, d = 8: a linear error along the diagonal couples the coordinates"},
    {"targets: [{name: g, kind: gaussian, variance: 1, spectrum: {kind: power, exponent: 1}}]\n" SAMPLERS
     "dimensions: [1, 4]\n" STEPS "score_errors: [{shape: sign, size: 1, spread: diagonal}]\n",
     5, 16, "target g, d = 4: a sign error along the diagonal couples the coordinates"},
    /* accuracies */
    {AND("accuracies: [0]"), 5, 14, "expected a number in (0, 1), found '0'"},
    {AND("accuracies: [0.1, 1]"), 5, 19, "expected a number in (0, 1), found '1'"},
    {AND("accuracies: [0.1, -0.1]"), 5, 19, "expected a number in (0, 1), found '-0.1'"},
    {AND("accuracies: [nan, 0.5, nan, 0.1]"), 5, 14, "expected a number in (0, 1), found 'nan'"},
    {AND("accuracies: [0.1, 0.2, 1.0e-1]"), 5, 24, "duplicate accuracy '1.0e-1', first given on line 5"},
    {AND("accuracies: {}"), 5, 13, "expected a non-empty list, found a mapping"},
    /* claims */
    {AND("claims: []"), 5, 9, "expected a non-empty list, found an empty list"},
    {AND("claims: some"), 5, 9, "expected a non-empty list"},
    {AND("claims: [eps]"), 5, 10, "unknown claim 'eps', expected one of: eps-ddpm, eps-accelerated, low-dimension"},
    {AND("claims: [eps-ddpm, eps-ddpm]"), 5, 20, "duplicate claim 'eps-ddpm', first given on line 5"},
#define OWN TARGETS "samplers: [ddpm, accelerated]\n" DIMENSIONS STEPS "claims:\n- {name: own, "
    {AND("claims:\n- {says: mine}"), 6, 3, "missing key 'name'"},
    {AND("claims:\n- {name: a b, quantity: tv}"), 6, 10, "expected a name of [A-Za-z0-9._-]"},
    {AND("claims:\n- {name: eps-ddpm, quantity: tv}"), 6, 10, "'eps-ddpm' is the name of a built-in claim"},
    {OWN "at_most: {h: 1}}\n", 6, 3, "missing key 'quantity'"},
    {OWN "quantity: tvs}\n", 6, 25, "unknown quantity 'tvs', expected one of: steps, evaluations, path_kl, tv, "},
    {OWN "quantity: kl_pq}\n", 6, 25, "did you mean 'kl_p_q'?"},
    {OWN "quantity: tv_error}\n", 6, 25, "unknown quantity 'tv_error'"},
    {OWN "quantity: tv}\n", 6, 3, "expected at least one of the keys at_most, at_least and faster_than"},
    {OWN "quantity: tv, at_mots: {h: 1}}\n", 6, 29, "did you mean 'at_most'?"},
    {OWN "quantity: tv, at_least: {step: 1}}\n", 6, 40,
     "unknown key 'step', expected one of: dimension, step_size, "},
    {OWN "quantity: tv, at_least: {accuracy: 1}}\n", 6, 40, "unknown key 'accuracy'"},
    {OWN "quantity: steps, at_most: {h: 1}}\n", 6, 42, "unknown key 'h', expected one of: accuracy, dimension, d"},
    {OWN "quantity: path_kl, at_most: {score_error_size: 1}}\n", 6, 44, "unknown key 'score_error_size'"},
    {OWN "quantity: tv, at_least: {h: 1/0}}\n", 6, 43, "a number that double precision can hold, found '1/0'"},
    {OWN "quantity: tv, at_least: {h: 1/2/3}}\n", 6, 43, "expected a number, found '1/2/3'"},
    {OWN "quantity: tv, at_least: {h: two}}\n", 6, 43, "expected a number, found 'two'"},
    {OWN "quantity: tv, at_least: {h: 1, step_size: 2}}\n", 6, 57, "a second exponent in step_size, expected one"},
    {OWN "quantity: tv, at_least: {h: 1, h: 2}}\n", 6, 46, "duplicate key 'h'"},
    {OWN "quantity: tv, at_least: {}}\n", 6, 39,
     "found no exponent, expected one at least, such as {dimension: 1/2}"},
    {OWN "quantity: tv, at_least: 2}\n", 6, 39, "expected a mapping, found '2'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: dpm}\n", 6, 56,
     "unknown sampler 'dpm', expected one of: ddpm, accelerated; did you mean 'ddpm'?"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: [ddpm, pf-ode]}\n", 6, 63, "unknown sampler 'pf-ode'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: [ddpm, ddpm]}\n", 6, 63, "duplicate sampler 'ddpm'"},
    {OWN "quantity: tv, at_least: {h: 1}, sampler: []}\n", 6, 56, "expected a non-empty list"},
    {OWN "quantity: tv, at_least: {h: 1}, targets: [f]}\n", 6, 57, "unknown target 'f', expected one of: g"},
    {OWN "quantity: steps, faster_than: ddpm}\n", 6, 45,
     "expected a mapping such as {sampler: ddpm, by: {accuracy: 1/2}}"},
    {OWN "quantity: steps, faster_than: {sampler: ddpm}}\n", 6, 45, "missing key 'by'"},
    {OWN "quantity: steps, faster_than: {by: {accuracy: 1}}}\n", 6, 45, "missing key 'sampler'"},
    {OWN "quantity: tv, faster_than: {sampler: ddpm, by: {h: 1}}}\n", 6, 42, "expected steps or evaluations"},
    {OWN "quantity: steps, faster_than: {sampler: pf-ode, by: {accuracy: 1}}}\n", 6, 55, "unknown sampler 'pf-ode'"},
    {OWN "quantity: steps, sampler: ddpm, faster_than: {sampler: ddpm, by: {accuracy: 1}}}\n", 6, 60,
     "ddpm is compared with itself"},
    {AND("claims: [{name: own, quantity: steps, faster_than: {sampler: ddpm, by: {accuracy: 1}}}]"), 5, 52,
     "the experiment has no other sampler than ddpm"},
    {OWN "quantity: tv, at_least: {h: 1}}\n- {name: own, quantity: tv, at_least: {h: 1}}\n", 7, 10,
     "duplicate claim 'own', first given on line 6, column 10"},
    {OWN "quantity: tv, at_least: {h: 1}, source: ''}\n", 6, 55, "expected a source, found an empty string"},
#undef OWN
};

static void check_refused(const struct error *error, enum status status, int line, int column, const char *message)
{
    char place[64];
    (void)snprintf(place, sizeof place, "bad.yaml:%d:%d: ", line, column);
    ck_assert_int_eq(status, STATUS_INVALID);
    ck_assert_int_eq(error->status, STATUS_INVALID);
    ck_assert_msg(strncmp(error->text, place, strlen(place)) == 0, "expected %s, got %s", place, error->text);
    ck_assert_msg(strstr(error->text, message) != NULL, "expected '%s' in '%s'", message, error->text);
    ck_assert_ptr_null(strchr(error->text, '\n'));
}

TEST(test_bad_text, .count = COUNT(bad_texts))
{
    const struct bad *bad = &bad_texts[_i];
    struct spec spec;
    struct error error = {0};
    enum status status = parse(bad->text, &spec, &error);
    check_refused(&error, status, bad->line, bad->column, bad->message);
    spec_free(&spec);
    ck_assert_int_eq(parse(bad->text, &spec, NULL), STATUS_INVALID);
    spec_free(&spec);
}

TEST(test_nul_byte)
{
    static const char text[] = "title: x\nsteps\0: [1]\n";
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = spec_parse("bad.yaml", text, sizeof text - 1, "", claims, &spec, &error);
    check_refused(&error, status, 2, 6, "found a NUL byte, expected text");
}

TEST(test_long_values_are_cut)
{
    static const char text[] = TARGETS "samplers: [" FIFTY "012345678\xC3\xA9z]\n";
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = parse(text, &spec, &error);
    check_refused(&error, status, 2, 12, "345678...', expected one of: ddpm");
}

static char *repeat(const char *before, const char *piece, size_t times)
{
    size_t start = strlen(before), length = strlen(piece);
    char *text = malloc(start + times * length + 1);
    ck_assert_ptr_nonnull(text);
    memcpy(text, before, start);
    for (size_t i = 0; i < times; i++)
        memcpy(text + start + i * length, piece, length);
    text[start + times * length] = '\0';
    return text;
}

/* Documents made to take forever; the test has Check's time limit. */
static const struct hostile {
    const char *before, *piece;
    size_t times;
    int line, column;
    const char *message;
} hostile_texts[] = {
    {"", "#", ((size_t)1 << 20) + 1, 1, 1, "the file is too large, expected at most 1 MiB"},
    {"", "#", (size_t)1 << 20, 1, 1, "the file is empty"},
    {"a: ", "[", 1000000, 1, 35, "found more than 32 levels of nesting"},
    {"", "{a: ", 250000, 1, 129, "found more than 32 levels of nesting"},
    {"", "[\n", 500000, 33, 1, "found more than 32 levels of nesting"},
    {"", "- ", 500000, 1, 65, "found more than 32 levels of nesting"},
    {"", "a: ", 300000, 1, 5, "mapping values are not allowed"},
    {"a: 1\n", "---\n", 200000, 2, 1, "found a second document"},
    {TARGETS SAMPLERS STEPS "dimensions:\n", "- 1\n", 200000, 5, 1, "found a list of 200000, expected at most 10000"},
};

TEST(test_hostile_text, .count = COUNT(hostile_texts))
{
    const struct hostile *hostile = &hostile_texts[_i];
    FREED char *text = repeat(hostile->before, hostile->piece, hostile->times);
    OWNED(spec) spec;
    struct error error = {0};
    enum status status = parse(text, &spec, &error);
    check_refused(&error, status, hostile->line, hostile->column, hostile->message);
}

/* `sizes` x `roughnesses` errors in one entry, after another with one. */
static enum status parse_many(size_t sizes, size_t roughnesses, struct spec *spec, struct error *error)
{
    FREED char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);
    ck_assert_ptr_nonnull(stream);
    fputs(TARGETS TAIL "score_errors:\n- {shape: bias, size: 1}\n- {shape: wave, size: [1", stream);
    for (size_t i = 2; i <= sizes; i++)
        fprintf(stream, ", %zu", i);
    fputs("], roughness: [1", stream);
    for (size_t i = 2; i <= roughnesses; i++)
        fprintf(stream, ", %zu", i);
    fputs("]}\n", stream);
    ck_assert_int_eq(fclose(stream), 0);
    enum status status = parse(text, spec, error);
    return status;
}

TEST(test_many_score_errors)
{
    struct spec spec;
    struct error error = {0};
    ASSERT_OK(parse_many, 1111, 9, &spec);
    ck_assert_uint_eq(spec.score_error_count, 10001);
    ck_assert_int_eq(spec.exact_scores_listed, 0);
    ck_assert_double_eq(spec.score_errors[10000].size, 1111.0);
    ck_assert_double_eq(error_param(&spec.score_errors[10000], "roughness"), 9.0);
    spec_free(&spec);
    enum status status = parse_many(10000, 1, &spec, &error);
    check_refused(&error, status, 7, 3, "found more than 10000 score errors up to here");
    spec_free(&spec);
    status = parse_many(10000, 10000, &spec, &error);
    check_refused(&error, status, 7, 3, "found more than 10000 score errors up to here");
    spec_free(&spec);
}
